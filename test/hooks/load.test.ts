import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/config.ts';
import { loadHooks } from '../../src/hooks.ts';

const ALL =
  'preLogin, preRegistration, postLogin, postRegistration, postVerification, postPasswordReset, postInvitationAccepted';

let directory: string;
let modules = 0;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'latchkey-hooks-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function moduleOf(text: string, extension = 'mjs'): string {
  modules += 1;
  const path = join(directory, `hooks-${modules}.${extension}`);
  writeFileSync(path, text);
  return path;
}

/** The one line that an operator reads. */
async function problemWith(path: string): Promise<string> {
  const error: unknown = await loadHooks(path).then(
    () => null,
    (reason) => reason,
  );
  if (!(error instanceof ConfigError)) throw new Error(`no ConfigError: ${error}`);
  expect(error.problems).toHaveLength(1);
  expect(error.message).not.toMatch(/[\n\r]/);
  return error.message;
}

describe('loadHooks', () => {
  it('has no hooks without a module', async () => {
    expect(await loadHooks(null)).toEqual({});
  });

  it('takes the hooks of the module, and nothing else of it', async () => {
    const hooks = await loadHooks(
      moduleOf('export const limit = 3; export function preLogin() {} export const postLogin = async () => {};'),
    );
    expect(Object.keys(hooks).sort()).toEqual(['postLogin', 'preLogin']);
  });

  it.each([
    ['TypeScript', 'export function preLogin(user: { readonly email: string }): boolean { return true; }', 'ts'],
    ['CommonJS', 'exports.preLogin = () => true;', 'cjs'],
    ['JavaScript that waits for something', 'await null; export const preLogin = () => true;', 'mjs'],
  ])('takes a module in %s', async (_case, text, extension) => {
    expect(Object.keys(await loadHooks(moduleOf(text, extension)))).toEqual(['preLogin']);
  });

  it('takes a path from where the service was started', async () => {
    const path = moduleOf('export const preLogin = () => true;');
    expect(Object.keys(await loadHooks(relative(process.cwd(), path)))).toEqual(['preLogin']);
  });

  it('refuses a module that is not there', async () => {
    expect(await problemWith(join(directory, 'absent.mjs'))).toMatch(
      /^HOOKS_MODULE could not be loaded: .*absent\.mjs/,
    );
  });

  it('refuses a directory', async () => {
    expect(await problemWith(directory)).toMatch(/^HOOKS_MODULE could not be loaded: ./);
  });

  it('refuses a module that is not JavaScript', async () => {
    expect(await problemWith(moduleOf('export const preLogin = ;'))).toMatch(/^HOOKS_MODULE could not be loaded: ./);
  });

  it.each([
    ['an error', `throw new Error('set WEBHOOK_URL')`, 'set WEBHOOK_URL'],
    ['an error of several lines', `throw new Error('set\\n  WEBHOOK_URL\\n')`, 'set WEBHOOK_URL'],
    ['a text', `throw 'set WEBHOOK_URL'`, 'set WEBHOOK_URL'],
    ['something without a text', 'throw Object.create(null)', 'it threw something that cannot be described'],
    ['nothing', 'throw undefined', 'undefined'],
  ])('says what a module says that throws %s', async (_case, text, message) => {
    expect(await problemWith(moduleOf(text))).toBe(`HOOKS_MODULE could not be loaded: ${message}`);
  });

  it.each(['true', 'null', '{}', `'preLogin'`])('refuses %s in place of a hook', async (value) => {
    const problem = await problemWith(moduleOf(`export const preLogin = ${value}; export function postLogin() {}`));
    expect(problem).toBe('HOOKS_MODULE must export functions: preLogin is none');
  });

  it.each(['preLogIn', 'preRegister', 'postSignup'])('refuses %s, which would never be asked', async (name) => {
    const problem = await problemWith(moduleOf(`export function preLogin() {} export function ${name}() {}`));
    expect(problem).toBe(`HOOKS_MODULE exports ${name}, which is no hook; the hooks are ${ALL}`);
  });

  it.each([
    ['nothing', ''],
    ['its hooks as one object', 'export default { preLogin() { return false; } };'],
    ['other things', 'export const postage = 1; export function prelogin() {}'],
  ])('refuses a module that exports %s', async (_case, text) => {
    expect(await problemWith(moduleOf(text))).toBe(`HOOKS_MODULE exports no hook; the hooks are ${ALL}`);
  });
});
