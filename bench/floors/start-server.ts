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

export async function startFloorServer(database: Plan['database']): Promise<FloorServer> {
  const child = fork(join(import.meta.dirname, 'server.ts'));
  const exit = once(child, 'exit');
  child.send(database);
  const { port } = await Promise.race([
    once(child, 'message').then(([message]) => Address.parse(message)),
    exit.then(() => Promise.reject(new Error('the server of the floors did not start'))),
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
