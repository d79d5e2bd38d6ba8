import { Command } from 'commander';
import { housekeep } from '../housekeeping/service.ts';
import { withApp } from './with-app.ts';

export const housekeepCommand = new Command('housekeep')
  .description('delete what has ended long ago now, as a running service does once an hour')
  .action(async () => {
    const { chores } = await withApp((app) => housekeep(app));
    const counts = Map.groupBy(chores, ({ of }) => of);
    for (const [of, each] of counts) {
      const rows = each.reduce((sum, chore) => sum + chore.rows, 0);
      process.stdout.write(`${of} ${of === 'invitations' ? 'closed' : 'deleted'}: ${rows}\n`);
    }
  });
