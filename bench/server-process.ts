import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../test/support/free-port.ts';

export interface ServerProcess {
  readonly url: string;
  readonly pid: number;
  /** From the start of the process to the first 200 of its `readyPath`. */
  readonly readySeconds: number;
  /** As an operator does, with SIGTERM. Rejects when it ended otherwise than by that or with 0. */
  stop(): Promise<void>;
}

interface ServerOptions {
  /** What comes after `node`. */
  readonly arguments: readonly string[];
  readonly directory: string;
  readonly environment: (port: number) => Readonly<Record<string, string>>;
  readonly readyPath: string;
  readonly readyHeaders?: Readonly<Record<string, string>>;
  /** Where what it prints is kept. */
  readonly outputDirectory: string;
}

const POLLING_INTERVAL_MILLISECONDS = 10;
const START_TIMEOUT_MILLISECONDS = 180_000;
const OUTPUT = 'output.log';

/** Of the caller's environment nothing but this reaches the server, so that it is the same for everybody. */
const INHERITED = ['PATH', 'HOME', 'TMPDIR', 'NODE_OPTIONS'];

/** A server that runs on this Node in production mode, ready to answer on a free port of the loopback interface. */
export async function startServer(options: ServerOptions): Promise<ServerProcess> {
  const { directory, environment, readyPath, readyHeaders = {}, outputDirectory } = options;
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const output = join(outputDirectory, OUTPUT);
  const file = openSync(output, 'a');
  const startedAt = performance.now();
  const child = spawn(process.execPath, options.arguments, {
    cwd: directory,
    stdio: ['ignore', file, file],
    env: {
      ...Object.fromEntries(INHERITED.map((name) => [name, process.env[name]])),
      NODE_ENV: 'production',
      ...environment(port),
    },
  });
  closeSync(file);
  const endWithUs = () => child.kill('SIGKILL');
  process.once('exit', endWithUs);
  try {
    await readiness(child, `${url}${readyPath}`, readyHeaders);
  } catch (error) {
    child.kill('SIGKILL');
    const printed = readFileSync(output, 'utf8');
    throw new Error(`the server of ${directory} did not get ready:\n${printed}`, { cause: error });
  }
  const readySeconds = (performance.now() - startedAt) / 1000;
  return {
    url,
    pid: child.pid ?? 0,
    readySeconds,
    async stop() {
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      const [code, signal] = await exit;
      process.off('exit', endWithUs);
      if (code !== 0 && signal !== 'SIGTERM') {
        throw new Error(`the server ended with ${code ?? signal}:\n${readFileSync(output, 'utf8')}`);
      }
    },
  };
}

async function readiness(child: ChildProcess, url: string, headers: Readonly<Record<string, string>>): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MILLISECONDS;
  while (performance.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error('it ended');
    const status = await fetch(url, { headers }).then(
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
