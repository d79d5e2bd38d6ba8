import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { CommandError } from './command-error.ts';

const MAX_BYTES = 4096;

/**
 * A password from whoever is at the terminal, typed twice and shown nowhere; without a terminal, the one line that is
 * on standard input. Never from an argument: those are in the shell's history and in everybody's list of processes.
 *
 * @throws CommandError
 */
export async function readPassword(): Promise<string> {
  return process.stdin.isTTY ? askTwice() : readLine();
}

async function readLine(): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MAX_BYTES) throw new CommandError('there is more on standard input than a password');
  }
  const line = decodeUtf8(Buffer.concat(chunks)).replace(/\r?\n$/, '');
  if (line === '') throw new CommandError('there is no password on standard input');
  if (/[\r\n]/.test(line)) throw new CommandError('there is more than one line on standard input');
  return line;
}

function decodeUtf8(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new CommandError('what is on standard input is not UTF-8');
  }
}

/** Nothing that is typed is echoed: the terminal is told not to, and what would be drawn instead goes nowhere. */
async function askTwice(): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: nowhere, terminal: true, historySize: 0 });
  const typed = terminal[Symbol.asyncIterator]();
  try {
    const password = await ask('Password: ');
    if ((await ask('Once more: ')) !== password) throw new CommandError('these are two different passwords');
    return password;
  } finally {
    terminal.close();
  }

  async function ask(question: string): Promise<string> {
    process.stderr.write(question);
    const { done, value } = await typed.next();
    process.stderr.write('\n');
    // Ctrl-C or Ctrl-D.
    if (done) throw new CommandError('no password was given');
    return value;
  }
}
