import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { print } from 'graphql';
import { afterAll } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import type { Answer, RequestOptions } from './service.ts';

export type Environment = Readonly<Record<string, string>>;

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningProcess {
  readonly id: number;
  /** All that it has written so far. */
  readonly stdout: string;
  readonly stderr: string;
  /** Resolves when it has ended and all that it wrote has been read. */
  readonly exit: Promise<Exit>;
  send(signal: NodeJS.Signals): void;
  /** Resolves with standard output once that has a match; rejects when the process ends before. */
  untilPrinted(pattern: RegExp): Promise<string>;
}

export interface ServiceProcess extends RunningProcess {
  /** From the ready line. */
  readonly url: string;
  readonly execute: ReturnType<typeof clientOf>;
  /** Every line of the log. */
  log(): readonly LogLine[];
  /** SIGTERM, and the end. */
  stop(): Promise<Exit>;
}

export interface LogLine {
  readonly msg: string;
  readonly [name: string]: unknown;
}

interface ProcessOptions {
  /** The whole of it: nothing is inherited. */
  readonly environment?: Environment;
  readonly workingDirectory?: string;
  /** What is on its standard input; nothing unless said. */
  readonly input?: string | Readable;
}

const sources = join(import.meta.dirname, '../../src');
/** What `npm start` runs: the bundle, where an install has just made one of these sources, or else the sources. */
export const mainScript = join(sources, '../scripts/start.cjs');
/** The same from the sources, bundle or not. */
export const sourceScript = join(sources, 'main.ts');
export const cliScript = join(sources, 'cli.ts');

/** Node's, of the start script: what an install has compiled with them is of no use without them. */
const startFlags = packageJson.scripts.start.split(' ').slice(1, -1);

const running = new Set<RunningProcess>();
const directories: string[] = [];

// Whatever a test file starts and makes is gone when it is done, however it ends.
afterAll(async () => {
  for (const each of running) each.send('SIGKILL');
  await Promise.all([...running].map(({ exit }) => exit));
  for (const each of directories) rmSync(each, { recursive: true, force: true, maxRetries: 5 });
});

/** Node.js runs the script in a process of its own. */
export function startProcess(
  script: string,
  parameters: readonly string[] = [],
  options: ProcessOptions = {},
): RunningProcess {
  return startCommand(process.execPath, [...startFlags, script, ...parameters], options);
}

/** The command, found through the PATH of the environment, runs. */
export function startCommand(
  command: string,
  parameters: readonly string[],
  { environment = {}, workingDirectory = tmpdir(), input = '' }: ProcessOptions,
): RunningProcess {
  const child = spawn(command, parameters, {
    env: { ...environment },
    cwd: workingDirectory,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  // It need not read what it is given.
  child.stdin.on('error', () => {});
  (typeof input === 'string' ? Readable.from(input === '' ? [] : [input]) : input).pipe(child.stdin);
  const written = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      written[name] += text;
    });
  }
  const exit = once(child, 'close').then(([code, signal]) => ({ code, signal, ...written }));
  const started: RunningProcess = {
    id: child.pid ?? 0,
    get stdout() {
      return written.stdout;
    },
    get stderr() {
      return written.stderr;
    },
    exit,
    send: (signal) => void child.kill(signal),
    untilPrinted: (pattern) => untilPrinted(child, written, pattern),
  };
  running.add(started);
  void exit.then(() => running.delete(started));
  return started;
}

/** The script has run to its end. */
export function run(script: string, parameters: readonly string[] = [], options: ProcessOptions = {}): Promise<Exit> {
  return startProcess(script, parameters, options).exit;
}

/** The command, found through the PATH of the environment, has run to its end. */
export function runCommand(command: string, parameters: readonly string[], options: ProcessOptions): Promise<Exit> {
  return startCommand(command, parameters, options).exit;
}

/** The service as `npm start` runs it, on a port of its own unless the environment names one, once it is ready. */
export async function startService(
  environment: Environment,
  { script = mainScript, ...options }: ProcessOptions & { readonly script?: string } = {},
): Promise<ServiceProcess> {
  const service = startProcess(script, [], { ...options, environment: { PORT: '0', ...environment } });
  await service.untilPrinted(/"msg":"ready"/);
  const log = () => logLines(service.stdout);
  const url = String(log().find(({ msg }) => msg === 'ready')?.url);
  return Object.assign(service, {
    url,
    execute: clientOf(url),
    log,
    stop: () => {
      service.send('SIGTERM');
      return service.exit;
    },
  });
}

/** What the log says of the process, without what it says of each thing that somebody did. */
export function milestonesOf(service: ServiceProcess): readonly string[] {
  const deeds = new Set(['on record', 'refused']);
  return service.log().flatMap(({ msg }) => (deeds.has(msg) ? [] : [msg]));
}

/** Whole lines only; each has to be JSON. */
export function logLines(text: string): readonly LogLine[] {
  const lines = text.split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line));
}

/** A new directory with nothing in it. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'latchkey-process-'));
  directories.push(directory);
  return directory;
}

/** Sends operations over HTTP, as a client does; rejects when the connection is refused or cut. */
function clientOf(url: string) {
  return async <Result, Variables>(
    document: TypedDocumentNode<Result, Variables>,
    variables: Variables,
    { accessToken, cookie, headers }: RequestOptions = {},
  ): Promise<Answer<Result>> => {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(accessToken !== undefined && { authorization: `Bearer ${accessToken}` }),
        ...(cookie !== undefined && { cookie }),
        ...headers,
      },
      body: JSON.stringify({ query: print(document), variables }),
    });
    const { data, errors = [] } = (await response.json()) as Pick<Answer<Result>, 'data'> &
      Partial<Pick<Answer<Result>, 'errors'>>;
    return { status: response.status, headers: response.headers, data, errors };
  };
}

function untilPrinted(child: ChildProcess, written: { stdout: string; stderr: string }, pattern: RegExp) {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const look = () => pattern.test(written.stdout) && resolve(written.stdout);
  const giveUp = () => reject(new Error(`ended without printing ${pattern}:\n${written.stdout}${written.stderr}`));
  child.stdout?.on('data', look);
  child.once('close', giveUp);
  look();
  if (child.exitCode !== null || child.signalCode !== null) giveUp();
  return promise;
}
