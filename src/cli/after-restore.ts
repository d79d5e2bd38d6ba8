import { Command } from 'commander';
import { settleAfterRestore } from '../restore/service.ts';
import { withApp } from './with-app.ts';

export const afterRestoreCommand = new Command('after-restore')
  .description(
    'after a backup was restored, before the service starts: end all sessions and links, and what would be sent',
  )
  .action(async () => {
    const { sessions, oneTimeTokens, mails } = await withApp(settleAfterRestore);
    process.stdout.write(
      `sessions ended: ${sessions}\none-time tokens ended: ${oneTimeTokens}\nmails abandoned: ${mails}\n`,
    );
  });
