import { z } from 'zod';
import type { App } from '../app.ts';
import { type Client, recordEvent } from '../audit/service.ts';
import { requireToHold } from '../auth/authority.ts';
import { hashNewPassword } from '../auth/passwords.ts';
import { permissionsOf } from '../auth/permissions.ts';
import type { Viewer } from '../auth/viewer.ts';
import { lockViewer } from '../auth/viewer-lock.ts';
import type { User, UserStatus } from '../database/generated/client.ts';
import { emailField, localeField, nameField, parseInput, remarkField } from '../fields/input.ts';
import { requireAcceptablePassword } from '../passwords/policy.ts';
import { findRoles } from '../roles/service.ts';
import { insertUser } from './insert.ts';

export interface CreateUserInput {
  readonly email: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly password?: string | null | undefined;
  readonly remark?: string | null | undefined;
  readonly status: UserStatus;
  readonly emailVerified: boolean;
  readonly roleIds?: readonly string[] | null | undefined;
  readonly locale?: string | null | undefined;
}

const createUserFields = z.object({
  email: emailField,
  firstName: nameField,
  lastName: nameField,
  remark: remarkField.optional(),
  locale: localeField.optional(),
});

/**
 * A user with the role `user` and the roles named, on record. Without a password nobody can sign in by one until it is
 * reset.
 *
 * @throws ValidationError
 * @throws NotFoundError for a role that does not exist
 * @throws ForbiddenError when the roles hold a permission that the viewer does not
 * @throws EmailTakenError
 * @throws RateLimitedError while too many hashes wait
 */
export async function createUser(app: App, viewer: Viewer, client: Client, input: CreateUserInput): Promise<User> {
  const { remark = null, ...fields } = parseInput(createUserFields, input);
  const { status, emailVerified, password = null } = input;
  if (password !== null) requireAcceptablePassword(app, password, fields, ['input', 'password']);
  const passwordHash = password === null ? null : await hashNewPassword(app, password);
  return app.db.$transaction(async (transaction) => {
    const roles = await findRoles(transaction, input.roleIds ?? []);
    await lockViewer(app, transaction, viewer);
    requireToHold(viewer, permissionsOf(roles));
    const roleIds = roles.map(({ id }) => id);
    const user = await insertUser(app, transaction, {
      ...fields,
      remark,
      status,
      emailVerified,
      passwordHash,
      roleIds,
    });
    await recordEvent(transaction, {
      type: 'user.created',
      at: user.createdAt,
      actorId: viewer.user.id,
      subjectId: user.id,
      email: user.email,
      client,
      data: { status, emailVerified, roles: roles.map(({ name }) => name) },
    });
    return user;
  });
}
