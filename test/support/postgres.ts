import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface EphemeralPostgres {
  /** Of a superuser, and the database `postgres`. */
  readonly url: string;
  /**
   * Ended by `SIGINT`, as an administrator does it, or by `SIGQUIT`, which is a crash to it; then started on the same port,
   * and ready. With `synchronous_commit=on` it loses nothing.
   */
  restart(signal: 'SIGINT' | 'SIGQUIT'): Promise<void>;
  stop(): Promise<void>;
}

/**
 * A real PostgreSQL 18 with nothing in it, on a free port of the loopback interface. It and its files are gone after
 * `stop`, and also when this process ends in any other way, be it `kill -9`. Its settings are for tests, so it is quick
 * and would lose data with the power; `settings`, such as `fsync=on`, are put over them.
 */
export async function startPostgres(settings: readonly string[] = []): Promise<EphemeralPostgres> {
  const owner = spawn(process.execPath, [join(import.meta.dirname, 'postgres-owner.ts'), ...settings], {
    // A group of its own, so that Ctrl-C reaches only us, and the owner has the time to clean up.
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exit = once(owner, 'exit');
  const lines = createInterface(owner.stdout);
  const nextLine = () =>
    Promise.race([
      once(lines, 'line').then(([line]) => String(line)),
      exit.then(() => Promise.reject(new Error('the PostgreSQL for the tests did not start'))),
    ]);
  const url = await nextLine();
  return {
    url,
    async restart(signal) {
      owner.stdin.write(`${signal}\n`);
      await nextLine();
    },
    async stop() {
      owner.stdin.end();
      await exit;
    },
  };
}
