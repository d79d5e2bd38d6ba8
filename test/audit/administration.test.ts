import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { AuditEvent } from '../../src/database/generated/client.ts';
import { faultsOf } from '../sessions/operations.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { mutations, type Scene, setScene } from '../users/every-operation.ts';
import { UpdateMe } from '../users/operations.ts';
import { createAdministrator, everything, type Staff, signedIn } from '../users/staff.ts';

let service: TestService;
let admin: Staff;

beforeAll(async () => {
  service = await startTestService();
  admin = await createAdministrator(service);
});
afterAll(() => service.close());

/** Somebody who waits for activation and is signed in all the same, so that each operation has something to do. */
async function busyScene(): Promise<Scene> {
  const scene = await setScene(service);
  const { id } = scene.target.user;
  await signedIn(service, scene.target);
  await service.app.db.user.update({ where: { id }, data: { status: 'PENDING' } });
  return scene;
}

const types: Readonly<Record<string, readonly string[]>> = {
  createUser: ['user.created'],
  updateUser: ['user.updated', 'session.revoked'],
  deleteUser: ['user.deleted'],
  activateUser: ['user.activated'],
  revokeUser: ['user.revoked', 'session.revoked'],
  revokeUserSessions: ['session.revoked'],
  createRole: ['role.created'],
  updateRole: ['role.updated'],
  deleteRole: ['role.deleted'],
  assignRole: ['role.assigned'],
  revokeRole: ['role.revoked'],
  inviteUser: ['invitation.created'],
  resendInvitation: ['invitation.resent'],
  revokeInvitation: ['invitation.revoked'],
  deleteInvitation: ['invitation.deleted'],
};

describe('every step of administration', () => {
  afterEach(() => expect(faultsOf(service)).toEqual([]));

  it.each(mutations)('is on record with who did it, to whom, and from where: $field', async ({ field, run }) => {
    const scene = await busyScene();
    const { user } = scene.target;
    const before = await service.app.db.auditEvent.findMany({ select: { id: true } });
    const headers = { 'user-agent': 'administration', 'x-request-id': `administration-${field}` };
    const { data, errors } = await run(service, scene, { ...admin.as, headers });
    expect(errors).toEqual([]);
    const created = field === 'createUser' ? await newUserOf(scene) : null;
    const events = await service.app.db.auditEvent.findMany({
      where: { id: { notIn: before.map(({ id }) => id) } },
      orderBy: { id: 'asc' },
    });
    const isAboutRole = /^(create|update|delete)Role$/.test(field);
    const isAboutNobody = isAboutRole || field === 'deleteUser' || /invit/i.test(field);
    const email = /invit/i.test(field) ? invitedAddress(field, scene) : (created?.email ?? user.email);
    expect(events).toEqual(
      types[field]?.map(
        (type): AuditEvent => ({
          id: expect.any(String),
          type,
          at: service.clock.now(),
          actorId: admin.userId,
          subjectId: isAboutNobody ? null : (created?.id ?? user.id),
          email: isAboutRole ? null : email,
          ipAddress: '127.0.0.1',
          userAgent: 'administration',
          requestId: `administration-${field}`,
          data: expect.any(Object),
        }),
      ),
    );
    expect(JSON.stringify(events)).not.toMatch(/argon2|goats|\bey[\w-]+\.[\w-]+\./);
    expect(data?.[field]).toMatchObject({ __typename: expect.stringMatching(/Payload$/) });
  });

  function invitedAddress(field: string, { target, invitation }: Scene): string {
    return field === 'inviteUser' ? `invited.${target.user.email}` : invitation.email;
  }

  function newUserOf({ target }: Scene) {
    return service.app.db.user.findUniqueOrThrow({ where: { email: `x${target.user.email}` } });
  }
});

describe('while nothing can be put on record', () => {
  async function whileFull<T>(act: () => Promise<T>): Promise<T> {
    const { pool } = service.app.database;
    await pool.query('ALTER TABLE audit_events ADD CONSTRAINT is_full CHECK (false) NOT VALID');
    try {
      return await act();
    } finally {
      await pool.query('ALTER TABLE audit_events DROP CONSTRAINT is_full');
    }
  }

  it.each(mutations)('nothing is done: $field', async ({ field, run }) => {
    const scene = await busyScene();
    const before = await everything(service);
    const { data, errors } = await whileFull(() => run(service, scene, admin.as));
    expect(data).toEqual({ [field]: null });
    expect(errors.map(({ extensions }) => extensions?.code)).toEqual(['INTERNAL_SERVER_ERROR']);
    expect(await everything(service)).toEqual(before);
  });

  it('nor are one’s own names changed', async () => {
    const before = await everything(service);
    const input = { firstName: 'Nobody' };
    const { data, errors } = await whileFull(() => service.execute(UpdateMe, { input }, admin.as));
    expect(data).toEqual({ updateMe: null });
    expect(errors.map(({ extensions }) => extensions?.code)).toEqual(['INTERNAL_SERVER_ERROR']);
    expect(await everything(service)).toEqual(before);
  });
});
