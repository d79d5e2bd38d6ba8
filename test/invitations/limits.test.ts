import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { invalidToken } from '../registration/operations.ts';
import { faultsOf } from '../sessions/operations.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { createAdministrator, type Staff } from '../users/staff.ts';
import { accept, accepted, invitationPending, invite, invited, invitee, resend, revoke } from './operations.ts';

const HOUR_SECONDS = 3600;

let service: TestService;
let admin: Staff;

beforeAll(async () => {
  service = await startTestService({ environment: { RATE_LIMITING: 'on', TRUST_PROXY: '1' } });
  admin = await createAdministrator(service);
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

function rateLimited(retryAfterSeconds: unknown) {
  return {
    __typename: 'RateLimitedError',
    code: 'RATE_LIMITED',
    message: 'Too many attempts. Try again later.',
    retryAfterSeconds,
  };
}

const soon = expect.toSatisfy((seconds) => seconds > 0 && seconds <= HOUR_SECONDS);

describe('with RATE_LIMITING=on', () => {
  it('an address gets ten invitation mails an hour, and who sends more is told', async () => {
    const { invitation } = await invited(service, admin);
    service.clock.advanceSeconds(60);
    for (let mail = 2; mail <= 10; mail += 1) {
      expect(await resend(service, admin, invitation.id)).toMatchObject({ invitation: { status: 'PENDING' } });
    }
    const wait = rateLimited(HOUR_SECONDS - 60);
    expect(await resend(service, admin, invitation.id)).toEqual(wait);
    await revoke(service, admin, invitation.id);
    expect(await invite(service, admin, invitee({ email: invitation.email }))).toEqual(wait);
    await invited(service, admin);
    service.clock.advanceSeconds(HOUR_SECONDS - 60);
    await invited(service, admin, invitee({ email: invitation.email }));
  });

  it('what was refused for other reasons does not count', async () => {
    const { invitation } = await invited(service, admin);
    const { email } = invitation;
    for (let attempt = 1; attempt <= 12; attempt += 1) {
      expect(await invite(service, admin, invitee({ email }))).toEqual(invitationPending);
    }
    expect(await resend(service, admin, invitation.id)).toMatchObject({ invitation: { status: 'PENDING' } });
  });

  it('somebody sends 500 invitations an hour, new and old ones together', async () => {
    const busy = await createAdministrator(service);
    const { invitation } = await invited(service, busy);
    const keys = [`viewer:${busy.userId}`];
    await Promise.all(Array.from({ length: 499 }, () => service.app.invitationThrottle.countAttempt(keys)));
    expect(await invite(service, busy, invitee())).toEqual(rateLimited(soon));
    expect(await resend(service, busy, invitation.id)).toEqual(rateLimited(soon));
    await revoke(service, busy, invitation.id);
    await invited(service, admin);
  });

  it('a client guesses twenty tokens an hour, and then not even a good one is looked at for it', async () => {
    const { token } = await invited(service, admin);
    const from = (address: string) => ({ headers: { 'x-forwarded-for': address } });
    for (let guess = 1; guess <= 20; guess += 1) {
      expect(await accept(service, `guess ${guess}`, {}, from('198.18.0.1'))).toEqual(invalidToken('NOT_FOUND'));
    }
    expect(await accept(service, 'guess 21', {}, from('198.18.0.1'))).toEqual(rateLimited(soon));
    expect(await accept(service, token, {}, from('198.18.0.1'))).toEqual(rateLimited(soon));
    expect(await accept(service, token, {}, from('198.18.0.2'))).toMatchObject({ __typename: 'AuthPayload' });
  });

  it('a link that was genuine once is no guess', async () => {
    const { token } = await invited(service, admin);
    await accepted(service, token);
    for (let attempt = 1; attempt <= 25; attempt += 1) {
      expect(await accept(service, token)).toEqual(invalidToken('ALREADY_USED'));
    }
  });
});
