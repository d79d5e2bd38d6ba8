import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DataDirectoryInUseError, lockDirectory } from '../../src/database/directory-lock.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'latchkey-lock-'));
});

afterEach(() => rmSync(directory, { recursive: true }));

describe('lockDirectory', () => {
  it('holds while its process lives, even when nobody there refers to it, and not a moment longer', async () => {
    const holder = spawn(
      process.execPath,
      [
        '--expose-gc',
        '--input-type=module-typescript',
        '--eval',
        `import { lockDirectory } from ${JSON.stringify(join(import.meta.dirname, '../../src/database/directory-lock.ts'))};
         lockDirectory(${JSON.stringify(directory)});
         await new Promise(setImmediate);
         gc();
         await new Promise(setImmediate);
         console.log('held');
         process.stdin.resume();`,
      ],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    const exit = once(holder, 'exit');
    await Promise.race([once(holder.stdout, 'data'), exit]);
    expect(() => lockDirectory(directory)).toThrow(DataDirectoryInUseError);

    holder.kill('SIGKILL');
    await exit;
    lockDirectory(directory).release();
  });

  it('can be taken again after its release', () => {
    const lock = lockDirectory(directory);
    expect(() => lockDirectory(directory)).toThrow(DataDirectoryInUseError);
    lock.release();
    lock.release();
    lockDirectory(directory).release();
  });
});
