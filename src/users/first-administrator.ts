import { randomBytes } from 'node:crypto';
import { v7 as newId } from 'uuid';
import type { App } from '../app.ts';
import { recordEvent } from '../audit/service.ts';
import { hashNewPassword } from '../auth/passwords.ts';
import { ADMIN_ROLE, USER_ROLE } from '../auth/permissions.ts';
import { FIRST_ADMINISTRATOR_NAME } from '../config/first-administrator.ts';

const DEVELOPMENT_EMAIL = 'admin@localhost';

export interface Credentials {
  readonly email: string;
  readonly password: string;
}

/**
 * There is somebody who may do everything. While there is no user at all, an active and verified administrator is made:
 * with ADMIN_EMAIL and ADMIN_PASSWORD, or, in development, with a password of our own. The table is locked for it, so
 * that of several instances starting at once one makes it.
 *
 * @returns the credentials that nobody knows yet, to be printed once; null when there is nothing to tell
 */
export async function ensureFirstAdministrator(app: App): Promise<Credentials | null> {
  if ((await app.db.user.findFirst({ select: { id: true } })) !== null) return null;
  const { firstAdministrator, production } = app.config;
  if (firstAdministrator !== null) {
    await createAdministrator(app, firstAdministrator);
    return null;
  }
  if (production) {
    app.log.warn('there is no user, and none can be made: set ADMIN_EMAIL and ADMIN_PASSWORD');
    return null;
  }
  const generated = { email: DEVELOPMENT_EMAIL, password: randomBytes(18).toString('base64url') };
  return (await createAdministrator(app, generated)) ? generated : null;
}

async function createAdministrator(app: App, { email, password }: Credentials): Promise<boolean> {
  const passwordHash = await hashNewPassword(app, password);
  const now = app.now();
  return app.db.$transaction(async (transaction) => {
    await transaction.$executeRaw`LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE`;
    if ((await transaction.user.findFirst({ select: { id: true } })) !== null) return false;
    const roles = await transaction.role.findMany({
      where: { builtIn: true, name: { in: [ADMIN_ROLE, USER_ROLE] } },
      select: { id: true },
    });
    const { id } = await transaction.user.create({
      select: { id: true },
      data: {
        id: newId(),
        email,
        ...FIRST_ADMINISTRATOR_NAME,
        emailVerified: true,
        passwordHash,
        createdAt: now,
        updatedAt: now,
        roles: { create: roles.map((role) => ({ roleId: role.id, createdAt: now })) },
      },
    });
    await recordEvent(transaction, {
      type: 'user.created',
      at: now,
      actorId: null,
      subjectId: id,
      email,
      client: { ipAddress: null, userAgent: null, requestId: null },
      data: { reason: 'first_administrator' },
    });
    return true;
  });
}
