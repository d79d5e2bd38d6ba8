import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Plan } from './plan.ts';

export interface ServiceProcess {
  readonly url: string;
  readonly pid: number;
  /** From the start of the process to the first 200 of `/readyz`. */
  readonly readySeconds: number;
  /** As an operator does, with SIGTERM. */
  stop(): Promise<void>;
}

interface ServiceOptions {
  /** The checkout whose service it is. */
  readonly root: string;
  readonly database: Plan['database'];
  readonly environment: Readonly<Record<string, string>>;
}

const POLLING_INTERVAL_MILLISECONDS = 10;
const START_TIMEOUT_MILLISECONDS = 60_000;
const OUTPUT = 'output.log';

/** Of the caller's environment nothing but this reaches the service, so that it is the same for everybody. */
const INHERITED = ['PATH', 'HOME', 'TMPDIR', 'NODE_OPTIONS'];

/** The service as `npm start` starts it, in production mode, ready to answer. */
export async function startService({ root, database, environment }: ServiceOptions): Promise<ServiceProcess> {
  const { databaseUrl, dataDirectory } = database;
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const output = join(dataDirectory, OUTPUT);
  const file = openSync(output, 'a');
  const startedAt = performance.now();
  const child = spawn(process.execPath, startArguments(root), {
    cwd: root,
    stdio: ['ignore', file, file],
    env: {
      ...Object.fromEntries(INHERITED.map((name) => [name, process.env[name]])),
      NODE_ENV: 'production',
      MAIL_TRANSPORT: 'smtp',
      SMTP_URL: 'smtp://127.0.0.1:25',
      PORT: String(port),
      PUBLIC_URL: 'https://latchkey.test',
      DATA_DIR: dataDirectory,
      ...(databaseUrl === null ? { EMBEDDED_DATABASE: 'allow' } : { DATABASE_URL: databaseUrl }),
      ...environment,
    },
  });
  closeSync(file);
  const endWithUs = () => child.kill('SIGKILL');
  process.once('exit', endWithUs);
  try {
    await readiness(child, url);
  } catch (error) {
    child.kill('SIGKILL');
    throw new Error(`the service of ${root} did not get ready:\n${readFileSync(output, 'utf8')}`, { cause: error });
  }
  const readySeconds = (performance.now() - startedAt) / 1000;
  return {
    url,
    pid: child.pid ?? 0,
    readySeconds,
    async stop() {
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      const [code] = await exit;
      process.off('exit', endWithUs);
      if (code !== 0) throw new Error(`the service ended with ${code}:\n${readFileSync(output, 'utf8')}`);
    },
  };
}

/** What comes after `node` in the start script of the checkout. */
function startArguments(root: string): readonly string[] {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return String(scripts.start).split(' ').slice(1);
}

async function readiness(child: ChildProcess, url: string): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MILLISECONDS;
  while (performance.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error('it ended');
    const status = await fetch(`${url}/readyz`).then(
      async (response) => {
        await response.body?.cancel();
        return response.status;
      },
      () => null,
    );
    if (status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, POLLING_INTERVAL_MILLISECONDS));
  }
  throw new Error(`it did not answer with 200 within ${START_TIMEOUT_MILLISECONDS} ms`);
}

async function freePort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  listener.close();
  await once(listener, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
