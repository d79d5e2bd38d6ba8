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
  /**
   * The password is right, or the ID token of a provider: a veto is answered like a wrong one. Or an invitation is good, and
   * this is the user to be made: a veto is answered like a link that is no longer valid, and nothing is made.
   */
  preLogin?(user: HookUser, request: HookRequest): Verdict | Promise<Verdict>;
  /** The input is valid. A veto is answered like a closed registration. */
  preRegistration?(registrant: Registrant, request: HookRequest): Verdict | Promise<Verdict>;
  postLogin?(user: HookUser, request: HookRequest): unknown;
  postRegistration?(user: HookUser, request: HookRequest): unknown;
  postVerification?(user: HookUser, request: HookRequest): unknown;
  postPasswordReset?(user: HookUser, request: HookRequest): unknown;
  postInvitationAccepted?(user: HookUser, request: HookRequest): unknown;
}

const HOOK_NAMES = [
  'preLogin',
  'preRegistration',
  'postLogin',
  'postRegistration',
  'postVerification',
  'postPasswordReset',
  'postInvitationAccepted',
] as const satisfies readonly (keyof Hooks)[];

const LOOKS_LIKE_A_HOOK = /^(?:pre|post)[A-Z]/;

/**
 * The hooks of the operator's module, or none without one.
 *
 * @throws ConfigError with one line when the module cannot be loaded, has no hook, exports something else under a hook's
 *   name, or a name that is easily taken for a hook's: a veto that is never asked must not go unnoticed
 */
export async function loadHooks(modulePath: string | null): Promise<Hooks> {
  if (modulePath === null) return {};
  const exported = await importModule(modulePath);
  const given = HOOK_NAMES.filter((name) => exported[name] !== undefined);
  const misnamed = Object.keys(exported).filter((name) => LOOKS_LIKE_A_HOOK.test(name) && !isHookName(name));
  if (misnamed.length > 0 || given.length === 0) {
    const what = misnamed.length > 0 ? `${misnamed.join(', ')}, which is no hook` : 'no hook';
    throw new ConfigError([`HOOKS_MODULE exports ${what}; the hooks are ${HOOK_NAMES.join(', ')}`]);
  }
  const wrong = given.filter((name) => typeof exported[name] !== 'function');
  if (wrong.length > 0) throw new ConfigError([`HOOKS_MODULE must export functions: ${wrong.join(', ')} is none`]);
  return Object.fromEntries(given.map((name) => [name, exported[name]]));
}

function isHookName(name: string): boolean {
  return HOOK_NAMES.some((hook) => hook === name);
}

async function importModule(modulePath: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await import(pathToFileURL(resolve(modulePath)).href);
  } catch (error) {
    throw new ConfigError([`HOOKS_MODULE could not be loaded: ${lineOf(error)}`]);
  }
}

/** A module may throw whatever it likes while it loads. */
function lineOf(error: unknown): string {
  try {
    return (error instanceof Error ? error.message : String(error)).trim().replace(/\s+/g, ' ');
  } catch {
    return 'it threw something that cannot be described';
  }
}
