import { randomUUID } from 'node:crypto';
import type { AuditEventType } from '../../src/audit/service.ts';
import type { Permission } from '../../src/auth/permissions.ts';
import type { AuditEvent, Role } from '../../src/database/generated/client.ts';
import { createPerson, type Person, type SignedInPerson, signIn } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';

/** Somebody who is signed in. */
export interface Staff extends Person, SignedInPerson {
  /** What requests are sent with. */
  readonly as: { readonly accessToken: string };
}

/** Somebody with the role `user`, another role with these permissions and nothing else, signed in. */
export async function createStaff(service: TestService, permissions: readonly Permission[]): Promise<Staff> {
  const role = await createRoleRow(service, permissions);
  return signedIn(service, await createPerson(service, { roles: ['user', role.name] }));
}

/** An administrator besides the first one, signed in. */
export async function createAdministrator(service: TestService): Promise<Staff> {
  return signedIn(service, await createPerson(service, { roles: ['user', 'admin'] }));
}

export async function signedIn(service: TestService, person: Person): Promise<Staff> {
  const session = await signIn(service, { email: person.user.email, password: person.password });
  return { ...person, ...session, as: { accessToken: session.accessToken } };
}

/** Another instance of the same service: the same database, clock, keys and URL to the outside. */
export function startTwin(service: TestService): Promise<TestService> {
  return startTestService({ database: service, environment: { PUBLIC_URL: service.app.issuer.url } });
}

/** A role in the database, with a name of its own unless there is one given. */
export function createRoleRow(
  { app }: TestService,
  permissions: readonly Permission[],
  name: string = randomUUID(),
): Promise<Role> {
  const now = app.now();
  const nameKey = name.toLowerCase();
  return app.db.role.create({ data: { name, nameKey, permissions: [...permissions], createdAt: now, updatedAt: now } });
}

export function roleNamed({ app }: TestService, name: string): Promise<Role> {
  return app.db.role.findUniqueOrThrow({ where: { nameKey: name.toLowerCase() } });
}

/** What is on record, oldest first: all of it, or of these types. */
export function eventsOf({ app }: TestService, ...types: readonly AuditEventType[]): Promise<AuditEvent[]> {
  return app.db.auditEvent.findMany({
    ...(types.length > 0 && { where: { type: { in: [...types] } } }),
    orderBy: [{ at: 'asc' }, { id: 'asc' }],
  });
}

/** What is on record of this person as the subject, oldest first. */
export function eventsAbout({ app }: TestService, subjectId: string): Promise<AuditEvent[]> {
  return app.db.auditEvent.findMany({ where: { subjectId }, orderBy: [{ at: 'asc' }, { id: 'asc' }] });
}

/** Every row of everything that administration writes, to see that nothing has changed. */
export async function everything({ app: { db } }: TestService): Promise<unknown> {
  return Promise.all([
    db.user.findMany({ orderBy: { id: 'asc' } }),
    db.role.findMany({ orderBy: { id: 'asc' } }),
    db.userRole.findMany({ orderBy: [{ userId: 'asc' }, { roleId: 'asc' }] }),
    db.session.findMany({ orderBy: { id: 'asc' } }),
    db.invitation.findMany({ orderBy: { id: 'asc' } }),
    db.invitationRole.findMany({ orderBy: [{ invitationId: 'asc' }, { roleId: 'asc' }] }),
    db.oneTimeToken.findMany({ orderBy: { id: 'asc' } }),
    db.mail.findMany({ orderBy: { id: 'asc' } }),
    db.auditEvent.findMany({ orderBy: { id: 'asc' } }),
  ]);
}
