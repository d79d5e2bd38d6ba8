import { z } from 'zod';
import { isKnownPasswordHash } from '../crypto/password-hash.ts';
import { emailField, localeField, nameField } from '../fields/input.ts';
import { MAX_ROLES_PER_USER } from '../roles/service.ts';
import { CommandError } from './command-error.ts';

const importRecordFields = z.strictObject({
  email: emailField,
  firstName: nameField,
  lastName: nameField,
  locale: localeField.default(null),
  status: z.enum(['PENDING', 'ACTIVE', 'REVOKED']).default('ACTIVE'),
  emailVerified: z.boolean().default(false),
  roles: z.array(z.string()).max(MAX_ROLES_PER_USER).default([]),
  passwordHash: z.string().refine(isKnownPasswordHash, 'This is a hash of no known form.').nullable().default(null),
  createdAt: z.iso
    .datetime({ offset: true })
    .transform((text) => new Date(text))
    .optional(),
});

/** A user of another system. */
export type ImportRecord = Readonly<z.infer<typeof importRecordFields>>;

/** @throws CommandError with everything that is wrong, none of it repeating a value */
export function parseImportRecord(text: string): ImportRecord {
  const result = importRecordFields.safeParse(parseJson(text));
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => [...path, message].join(': '));
  throw new CommandError(problems.join(' '));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own words would repeat what it read, which may be a hash.
    throw new CommandError('This is not JSON.');
  }
}
