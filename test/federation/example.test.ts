import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { startProcess } from '../support/process.ts';

const directory = mkdtempSync(join(tmpdir(), 'latchkey-example-'));

afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('the example of a gateway', () => {
  // A new embedded database takes its time.
  it('answers from Latchkey and a neighbour, and leaves nothing behind', { timeout: 90_000 }, async () => {
    const [, script = ''] = packageJson.scripts['example:gateway'].split(' ');
    const example = startProcess(join(import.meta.dirname, '../..', script), [], {
      environment: { TMPDIR: directory },
    });
    const printed = await example.untilPrinted(/Ctrl-C ends all three\.\n/);
    expect(JSON.parse(printed.slice(0, printed.indexOf('\ngateway:')))).toEqual({
      data: {
        posts: [
          {
            title: 'Keys and latches',
            author: {
              email: 'ada@example.com',
              roles: [{ name: 'admin' }, { name: 'user' }],
              byline: expect.stringMatching(/^by \w/),
            },
          },
        ],
        me: { posts: [{ title: 'Keys and latches' }] },
      },
    });
    expect(readdirSync(directory)).toHaveLength(1);

    example.send('SIGINT');

    expect(await example.exit).toMatchObject({ code: 0, signal: null, stderr: '' });
    expect(readdirSync(directory)).toEqual([]);
  });
});
