import { Command } from 'commander';
import { replaceSigningKeys, rotateSigningKeys } from '../keys/rotate.ts';
import { keyUpkeepOf } from '../keys/upkeep.ts';
import { withApp } from './with-app.ts';

export const rotateKeysCommand = new Command('rotate-keys')
  .description('make the key that signs access tokens next; nothing is refused because of it')
  .option('--leaked', 'sign with a new key now and refuse what all others have signed; clients refresh', false)
  .action(async ({ leaked }: { readonly leaked: boolean }) => {
    const { id, activeFrom } = await withApp((app) =>
      leaked
        ? replaceSigningKeys(app.database, keyUpkeepOf(app), app.now())
        : rotateSigningKeys(app.database, keyUpkeepOf(app), app.now()),
    );
    process.stdout.write(`${id} signs from ${activeFrom.toISOString()}\n`);
  });
