import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { z } from 'zod';
import type { Plan } from '../plan.ts';

export interface FloorServer {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

const Address = z.object({ port: z.int() });

/**
 * As the service is started: in production mode, where graphql-js does less, and with the same young generation.
 *
 * @param program `http-server.ts` or `yoga-server.ts`
 */
export async function startFloorServer(program: string, database: Plan['database']): Promise<FloorServer> {
  const child = fork(join(import.meta.dirname, program), {
    execArgv: ['--max-semi-space-size=4', '--no-parallel-scavenge'],
    env: { ...process.env, NODE_ENV: 'production' },
  });
  const exit = once(child, 'exit');
  child.send(database);
  const { port } = await Promise.race([
    once(child, 'message').then(([message]) => Address.parse(message)),
    exit.then(() => Promise.reject(new Error(`${program} did not start`))),
  ]);
  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    async stop() {
      child.disconnect();
      await exit;
    },
  };
}
