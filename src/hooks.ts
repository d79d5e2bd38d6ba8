import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Client } from './audit/service.ts';
import { ConfigError } from './config.ts';
import type { User } from './database/generated/client.ts';

/** The person a hook is about. */
export type HookUser = Readonly<
  Pick<User, 'id' | 'email' | 'firstName' | 'lastName' | 'status' | 'emailVerified' | 'createdAt'>
>;

/** Somebody who wants an account and does not have one yet. */
export type Registrant = Readonly<Pick<User, 'email' | 'firstName' | 'lastName'>>;

/** The request that a hook runs in. */
export interface HookRequest {
  readonly id: string;
  readonly client: Client;
  /** Aborts when the client hangs up. */
  readonly signal: AbortSignal;
}

/** A `pre` hook's word: `false` refuses, whatever else it returns lets pass. Throwing refuses too, and is logged. */
export type Verdict = boolean | undefined;

/**
 * What an operator's module (`HOOKS_MODULE`) may export, each by its name. A `pre` hook may veto, has five seconds, and
 * refuses when it does not answer. A `post` hook runs after the commit; what it returns or throws changes nothing.
 */
export interface Hooks {
  /** The password is right. A veto is answered like a wrong password. */
  preLogin?(user: HookUser, request: HookRequest): Verdict | Promise<Verdict>;
  /** The input is valid. A veto is answered like a closed registration. */
  preRegistration?(registrant: Registrant, request: HookRequest): Verdict | Promise<Verdict>;
  postLogin?(user: HookUser, request: HookRequest): unknown;
  postRegistration?(user: HookUser, request: HookRequest): unknown;
  postVerification?(user: HookUser, request: HookRequest): unknown;
}

const HOOK_NAMES = [
  'preLogin',
  'preRegistration',
  'postLogin',
  'postRegistration',
  'postVerification',
] as const satisfies readonly (keyof Hooks)[];

/**
 * The hooks of the operator's module, or none without one.
 *
 * @throws ConfigError when the module cannot be loaded or exports something else under a hook's name
 */
export async function loadHooks(modulePath: string | null): Promise<Hooks> {
  if (modulePath === null) return {};
  const exported = await importModule(modulePath);
  const given = HOOK_NAMES.filter((name) => exported[name] !== undefined);
  const wrong = given.filter((name) => typeof exported[name] !== 'function');
  if (wrong.length > 0) throw new ConfigError([`HOOKS_MODULE must export functions: ${wrong.join(', ')} is none`]);
  return Object.fromEntries(given.map((name) => [name, exported[name]]));
}

async function importModule(modulePath: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await import(pathToFileURL(resolve(modulePath)).href);
  } catch (error) {
    throw new ConfigError([`HOOKS_MODULE could not be loaded: ${error instanceof Error ? error.message : error}`]);
  }
}
