import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { behaviours, calls } from '../hooks/modules/steerable.ts';
import { faultsOf } from '../sessions/operations.ts';
import { createPerson } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { type Issuer, providers, startIssuer } from './issuer.ts';
import { invalidIdToken, LogInWithOAuth, registrationClosed, signedInBy } from './operations.ts';

let issuer: Issuer;
let service: TestService;

beforeAll(async () => {
  issuer = await startIssuer(() => service.clock.now());
  service = await startTestService({
    environment: {
      HOOKS_MODULE: join(import.meta.dirname, '../hooks/modules/steerable.ts'),
      OAUTH_PROVIDERS: providers({ example: { url: issuer.url, autoCreate: true } }),
    },
  });
});
beforeEach(() => {
  calls.length = 0;
  behaviours.clear();
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => Promise.all([service?.close(), issuer?.close()]));

async function logIn(claims: Readonly<Record<string, unknown>>) {
  const idToken = await issuer.idToken(claims);
  const answer = await service.execute(LogInWithOAuth, { input: { provider: 'example', idToken } });
  await service.app.background.drain();
  return answer;
}

/** Each hook that was called, with the person it was told of. */
function told() {
  return calls.map(({ name, told: [person] }) => [name, person]);
}

async function lastEvent() {
  const { type, data } = await service.app.db.auditEvent.findFirstOrThrow({ orderBy: { id: 'desc' } });
  return { type, data };
}

describe('the hooks of an operator', () => {
  it('are asked about a new person, as for a registration and a sign-in, and told afterwards', async () => {
    const { user } = signedInBy(await logIn({ email: 'new@provider.test' }));
    const { email, firstName, lastName } = user;
    const hookUser = {
      id: user.id,
      email,
      firstName,
      lastName,
      status: 'ACTIVE',
      emailVerified: true,
      createdAt: service.clock.now(),
    };
    expect(told()).toEqual([
      ['preRegistration', { email, firstName, lastName }],
      ['preLogin', hookUser],
      ['postRegistration', hookUser],
      ['postLogin', hookUser],
    ]);
  });

  it('are asked about the sign-in alone of who is known', async () => {
    const { user } = await createPerson(service);
    signedInBy(await logIn({ sub: 'known', email: user.email }));
    signedInBy(await logIn({ sub: 'known' }));
    expect(told().map(([name]) => name)).toEqual(['preLogin', 'postLogin', 'preLogin', 'postLogin']);
  });

  it('refuse a new person in the words of a closed registration, and there is none', async () => {
    behaviours.set('preRegistration', () => false);
    const { user } = await createPerson(service);
    for (const claims of [{ email: 'vetoed@provider.test' }, { email: user.email, email_verified: false }]) {
      expect((await logIn(claims)).data).toEqual({ loginWithOAuth: registrationClosed });
      expect(await lastEvent()).toEqual({
        type: 'registration.refused',
        data: { reason: 'vetoed', provider: 'example' },
      });
    }
    expect(await service.app.db.user.findUnique({ where: { email: 'vetoed@provider.test' } })).toBeNull();
    expect(told().map(([name]) => name)).toEqual(['preRegistration', 'preRegistration']);
  });

  it('refuse a sign-in in the words of a bad token, and nothing is linked', async () => {
    behaviours.set('preLogin', () => false);
    const { user } = await createPerson(service);
    expect((await logIn({ sub: 'vetoed', email: user.email })).data).toEqual({ loginWithOAuth: invalidIdToken });
    expect(await lastEvent()).toEqual({ type: 'login.failed', data: { reason: 'vetoed', provider: 'example' } });
    expect(await service.app.db.identity.count({ where: { userId: user.id } })).toBe(0);
    expect(await service.app.db.session.count({ where: { userId: user.id } })).toBe(0);
  });

  it('do not leave a stranger’s password to an account whose owner they refuse', async () => {
    behaviours.set('preLogin', () => false);
    const { user } = await createPerson(service, { emailVerified: false });
    expect((await logIn({ email: user.email })).data).toEqual({ loginWithOAuth: invalidIdToken });
    const proven = await service.app.db.user.findUniqueOrThrow({ where: { id: user.id } });
    expect(proven).toMatchObject({ passwordHash: null, emailVerified: true });
  });

  it('are not asked about who may not sign in anyway', async () => {
    const { user } = await createPerson(service, { status: 'REVOKED' });
    await logIn({ email: user.email });
    expect(told()).toEqual([]);
  });
});
