import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface Latchkey {
  /** Of its GraphQL endpoint. */
  readonly url: string;
  readonly issuer: string;
  readonly administrator: { readonly email: string; readonly password: string };
  /** It has ended, and what it stored is gone. */
  close(): Promise<void>;
}

/** As `npm start` runs it, on a free port, with an embedded database in a temporary directory. */
export async function startLatchkey(): Promise<Latchkey> {
  const directory = await mkdtemp(join(tmpdir(), 'latchkey-gateway-'));
  const administrator = { email: 'ada@example.com', password: randomBytes(18).toString('base64url') };
  const main = join(import.meta.dirname, '../../src/main.ts');
  const child = spawn(process.execPath, [main], {
    env: { PORT: '0', DATA_DIR: directory, ADMIN_EMAIL: administrator.email, ADMIN_PASSWORD: administrator.password },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  for await (const line of createInterface(child.stdout)) {
    const { msg, url } = JSON.parse(line);
    if (msg !== 'ready') continue;
    // Nobody reads on, and it must not wait for a reader.
    child.stdout.resume();
    const issuer = `http://localhost:${new URL(url).port}`;
    return { url: `${issuer}/graphql`, issuer, administrator, close };
  }
  throw new Error('Latchkey ended before it was ready');

  async function close(): Promise<void> {
    // Ctrl-C in a terminal ends it as well.
    if (child.exitCode === null) child.kill('SIGTERM');
    await ended;
    await rm(directory, { recursive: true, force: true });
  }
}
