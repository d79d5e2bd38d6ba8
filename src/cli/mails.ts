import { Command } from 'commander';
import { z } from 'zod';
import { failedMails, retryMail } from '../mail/abandoned.ts';
import { CommandError } from './command-error.ts';
import { withApp } from './with-app.ts';

interface Options {
  readonly failed?: boolean;
  readonly retry?: string;
}

export const mailsCommand = new Command('mails')
  .description('list the mails that could not be sent, or have them sent again')
  .option('--failed', 'list those that were refused or given up, one a line, as JSON')
  .option('--retry <id>', 'send this one after all, or "all" of them')
  .action(async (options: Options, command: Command) => {
    if (options.retry === undefined && !options.failed) return command.help({ error: true });
    if (options.retry !== undefined) await retry(options.retry);
    if (options.failed) await list();
  });

async function list(): Promise<void> {
  const mails = await withApp(failedMails);
  for (const { id, kind, recipient, createdAt, abandonedAt, abandonedReason } of mails) {
    process.stdout.write(`${JSON.stringify({ id, kind, recipient, createdAt, abandonedAt, abandonedReason })}\n`);
  }
}

async function retry(which: string): Promise<void> {
  if (which !== 'all' && !z.uuid().safeParse(which).success) throw new CommandError('there is no such mail');
  await withApp(async (app) => {
    const ids = which === 'all' ? (await failedMails(app)).map(({ id }) => id) : [which];
    let count = 0;
    for (const id of ids) if (await retryMail(app, id)) count += 1;
    if (which !== 'all' && count === 0) throw new CommandError('there is no such mail, or it has not failed');
    process.stdout.write(`${count} ${count === 1 ? 'mail' : 'mails'} will be sent again\n`);
  });
}
