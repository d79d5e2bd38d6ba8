import { Command } from 'commander';
import { z } from 'zod';
import type { App } from '../app.ts';
import { recordEvent } from '../audit/service.ts';
import { hashNewPassword } from '../auth/passwords.ts';
import type { User } from '../database/generated/client.ts';
import { emailField, localeField, nameField, parseInput } from '../fields/input.ts';
import { requireAcceptablePassword } from '../passwords/policy.ts';
import { insertUser } from '../users/insert.ts';
import { readPassword } from './read-password.ts';
import { rolesNamed } from './roles-named.ts';
import { operator, withApp } from './with-app.ts';

const personFields = z.object({
  email: emailField,
  firstName: nameField,
  lastName: nameField,
  locale: localeField.optional(),
});

interface Options {
  readonly email: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly role: readonly string[];
  readonly verified: boolean;
  readonly locale?: string | null | undefined;
}

export const createUserCommand = new Command('create-user')
  .description('make an active user; the password is asked for, or read from standard input')
  .requiredOption('--email <address>', 'where mail reaches the person')
  .requiredOption('--first-name <name>', 'given name')
  .requiredOption('--last-name <name>', 'family name')
  .option('--role <name...>', 'a role besides "user", such as "admin"', [])
  .option('--locale <tag>', 'the language of mails to the person, such as "de-AT"')
  .option('--verified', 'take the address as proven', false)
  .action(async (options: Options) => {
    const person = parseInput(personFields, options);
    const password = await readPassword();
    const user = await withApp((app) => createUser(app, { ...options, ...person, password }));
    process.stdout.write(`created ${user.email} (${user.id})\n`);
  });

/**
 * An active user with the role `user` and those named, on record with nobody as the actor: whoever runs a command on
 * the service's own machine may do everything.
 *
 * @throws ValidationError, EmailTakenError, CommandError
 */
async function createUser(
  app: App,
  { email, firstName, lastName, locale, role, verified, password }: Options & { readonly password: string },
): Promise<User> {
  const person = { email, firstName, lastName };
  requireAcceptablePassword(app, password, person, ['password']);
  const passwordHash = await hashNewPassword(app, password);
  return app.db.$transaction(async (transaction) => {
    const roles = await rolesNamed(transaction, role);
    const user = await insertUser(app, transaction, {
      ...person,
      locale,
      remark: null,
      status: 'ACTIVE',
      emailVerified: verified,
      passwordHash,
      roleIds: roles.map(({ id }) => id),
    });
    await recordEvent(transaction, {
      type: 'user.created',
      at: user.createdAt,
      actorId: null,
      subjectId: user.id,
      email,
      client: operator,
      data: { reason: 'command_line', emailVerified: verified, roles: roles.map(({ name }) => name) },
    });
    return user;
  });
}
