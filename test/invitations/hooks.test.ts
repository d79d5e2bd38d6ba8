import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { behaviours, calls } from '../hooks/modules/steerable.ts';
import { invalidToken } from '../registration/operations.ts';
import { faultsOf } from '../sessions/operations.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { createAdministrator, eventsOf, type Staff } from '../users/staff.ts';
import { accept, accepted, invited, PASSWORD, preview } from './operations.ts';

let service: TestService;
let admin: Staff;

beforeAll(async () => {
  const HOOKS_MODULE = join(import.meta.dirname, '../hooks/modules/steerable.ts');
  service = await startTestService({ environment: { HOOKS_MODULE } });
  admin = await createAdministrator(service);
  await service.app.background.drain();
});
beforeEach(() => {
  calls.length = 0;
  behaviours.clear();
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

describe('the hooks of an accepted invitation', () => {
  it('are asked before, and told afterwards, with the account as it becomes and without a secret', async () => {
    const { invitation, token } = await invited(service, admin);
    const { user } = await accepted(service, token, { firstName: 'Hedwig' });
    await service.app.background.drain();
    const told = {
      id: user.id,
      email: invitation.email,
      firstName: 'Hedwig',
      lastName: 'Lamarr',
      status: 'ACTIVE',
      emailVerified: true,
      createdAt: service.clock.now(),
    };
    const request = { id: expect.any(String), client: expect.any(Object), signal: expect.any(AbortSignal) };
    expect(calls).toEqual([
      { name: 'preLogin', told: [told, request] },
      { name: 'postInvitationAccepted', told: [told, request] },
      { name: 'postLogin', told: [told, request] },
    ]);
    expect(JSON.stringify(calls)).not.toContain(PASSWORD);
    expect(JSON.stringify(calls)).not.toContain(token.slice(-20));
  });

  it('do not include preRegistration, which has no say in who is invited', async () => {
    behaviours.set('preRegistration', () => false);
    const { token } = await invited(service, admin);
    await accepted(service, token);
    expect(calls.filter(({ name }) => name === 'preRegistration')).toEqual([]);
  });

  it('may refuse as preLogin, in the words of a dead link, which stays good', async () => {
    const { invitation, token } = await invited(service, admin);
    behaviours.set('preLogin', () => false);
    expect(await accept(service, token)).toEqual(invalidToken('REVOKED'));
    await service.app.background.drain();
    expect(calls.map(({ name }) => name)).toEqual(['preLogin']);
    expect(await service.app.db.user.count({ where: { email: invitation.email } })).toBe(0);
    expect((await eventsOf(service, 'login.failed')).at(-1)).toMatchObject({
      subjectId: null,
      email: invitation.email,
      data: { reason: 'vetoed', invitationId: invitation.id },
    });
    expect(await preview(service, token)).toMatchObject({ status: 'PENDING' });
    behaviours.clear();
    await accepted(service, token);
  });

  it('are not called for what is refused anyway', async () => {
    const { token } = await invited(service, admin);
    await accept(service, 'garbage');
    await accept(service, token, { password: 'short' });
    await service.app.background.drain();
    expect(calls).toEqual([]);
  });
});
