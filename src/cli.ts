#!/usr/bin/env node
import './runtime.ts';
import { Command } from 'commander';
import { afterRestoreCommand } from './cli/after-restore.ts';
import { describeCommandFailure } from './cli/command-error.ts';
import { createUserCommand } from './cli/create-user.ts';
import { exportEmbeddedCommand } from './cli/export-embedded.ts';
import { housekeepCommand } from './cli/housekeep.ts';
import { importUsersCommand } from './cli/import-users.ts';
import { mailsCommand } from './cli/mails.ts';
import { migrateCommand } from './cli/migrate.ts';
import { printSchemaCommand } from './cli/print-schema.ts';
import { rotateKeysCommand } from './cli/rotate-keys.ts';
import { serveCommand } from './cli/serve.ts';
import { workerCommand } from './cli/worker.ts';

const program = new Command('latchkey')
  .description('The GraphQL identity service: operator’s commands.')
  .showHelpAfterError();
const commands = [
  serveCommand,
  workerCommand,
  migrateCommand,
  mailsCommand,
  createUserCommand,
  importUsersCommand,
  rotateKeysCommand,
  housekeepCommand,
  afterRestoreCommand,
  exportEmbeddedCommand,
  printSchemaCommand,
];
for (const command of commands) {
  program.addCommand(command.copyInheritedSettings(program));
}

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${describeCommandFailure(error)}\n`);
  process.exitCode = 1;
}
