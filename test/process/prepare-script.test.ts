import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { rehearseIn } from '../../src/prepare.ts';
import { run, temporaryDirectory } from '../support/process.ts';

let directory: string;
beforeEach(() => {
  directory = temporaryDirectory();
});

function write(path: string, text: string): void {
  mkdirSync(join(directory, path, '..'), { recursive: true });
  writeFileSync(join(directory, path), text);
}

describe('scripts/prepare.mjs', () => {
  it.each([
    ['at once', `throw new Error('no disk')`],
    [
      'later, where nobody waits for it',
      `setTimeout(() => { throw new Error('no disk'); }); return new Promise(() => {})`,
    ],
    ['in a promise that nobody waits for', `void Promise.reject(new Error('no disk')); return new Promise(() => {})`],
  ])('says what failed %s, and lets the install go on', async (_, work) => {
    cpSync(join(import.meta.dirname, '../../scripts'), join(directory, 'scripts'), { recursive: true });
    write('package.json', '{"type": "module"}');
    write('src/prepare.ts', `export async function prepare() { ${work}; }`);
    const { code, stderr } = await run(join(directory, 'scripts/prepare.mjs'));
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'The service starts as well, but takes longer to: no disk\n' });
  });
});

describe('a bundle', () => {
  beforeEach(() => write('inputs.json', '[]'));

  it('is started from once the service has run from it', async () => {
    write('rehearsal.cjs', 'exports.rehearse = async () => {};');
    await rehearseIn(directory);
    expect(existsSync(join(directory, 'inputs.json'))).toBe(true);
  });

  it.each([
    ['does not load', `throw new Error('no such module');`],
    ['does not run', `exports.rehearse = async () => { throw new Error('no such module'); };`],
  ])('is not started from where it %s', async (_, rehearsal) => {
    write('rehearsal.cjs', rehearsal);
    await expect(rehearseIn(directory)).rejects.toThrow('no such module');
    expect(existsSync(join(directory, 'inputs.json'))).toBe(false);
  });
});
