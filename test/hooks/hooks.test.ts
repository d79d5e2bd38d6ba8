import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { mailsTo, newestTokenTo } from '../mailbox/reading.ts';
import { NEW_PASSWORD, passwordReset, resetPassword, resetTokenFor } from '../recovery/operations.ts';
import {
  invalidCredentials,
  logIn,
  PASSWORD,
  Register,
  register,
  registrant,
  registrationClosed,
  verifyEmail,
} from '../registration/operations.ts';
import { faultsOf } from '../sessions/operations.ts';
import { createPerson } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { behaviours, calls } from './modules/steerable.ts';

const TIMEOUT_MILLISECONDS = 5000;

let service: TestService;
let people = 0;

beforeAll(async () => {
  const HOOKS_MODULE = join(import.meta.dirname, 'modules/steerable.ts');
  service = await startTestService({ environment: { HOOKS_MODULE } });
});
beforeEach(() => {
  calls.length = 0;
  behaviours.clear();
});
afterEach(() => vi.useRealTimers());
afterAll(() => service.close());

function newAddress(): string {
  people += 1;
  return `hooked-${people}@latchkey.test`;
}

function callsOf(name: string) {
  return calls.filter((call) => call.name === name).map(({ told }) => told);
}

/** What the log has of the failures of hooks since the last time. */
function failures(): unknown[] {
  const found = faultsOf(service);
  const unread = found.slice(read);
  read = found.length;
  return unread;
}
let read = 0;

const theRequest = {
  id: expect.stringMatching(/./),
  client: { ipAddress: '127.0.0.1', userAgent: expect.any(String), requestId: expect.stringMatching(/./) },
  signal: expect.any(AbortSignal),
};

/** Each way in which a hook lets nobody pass, and what the log says of it. */
const refusals: readonly [string, () => unknown, string | null][] = [
  ['says false', () => false, null],
  ['says false later', async () => false, null],
  ['throws', () => thrown(new Error('out of order')), 'out of order'],
  ['throws later', async () => thrown(new Error('out of order')), 'out of order'],
  ['throws a text', () => thrown('out of order'), null],
  ['throws nothing', () => thrown(undefined), null],
  ['throws something without a text', () => thrown(Object.create(null)), null],
  ['throws an error that is its own cause', () => thrown(ownCause()), 'again'],
  ['answers with something that cannot be waited for', () => Object.defineProperty({}, 'then', { get: refuse }), 'no'],
];

const passes: readonly [string, () => unknown][] = [
  ['says true', () => true],
  ['says nothing', () => undefined],
  ['says nothing later', async () => undefined],
  ['says null', () => null],
  ['says 0', () => 0],
];

function thrown(what: unknown): never {
  throw what;
}

function refuse(): never {
  throw new Error('no');
}

async function isGone({ url }: TestService): Promise<boolean> {
  try {
    await (await fetch(`${url}/healthz`)).text();
    return false;
  } catch {
    return true;
  }
}

function ownCause(): Error {
  const error = new Error('again');
  error.cause = error;
  return error;
}

describe('preRegistration', () => {
  it('is told who wants an account, in canonical form and without the password, and of the request', async () => {
    const email = newAddress();
    await service.execute(
      Register,
      { input: registrant(` ${email.toUpperCase()}`) },
      { headers: { 'x-request-id': 'the-request', 'user-agent': 'a browser' } },
    );
    expect(callsOf('preRegistration')).toEqual([
      [
        { email, firstName: 'Sofja', lastName: 'Kowalewskaja' },
        {
          ...theRequest,
          id: 'the-request',
          client: { ipAddress: '127.0.0.1', userAgent: 'a browser', requestId: 'the-request' },
        },
      ],
    ]);
    expect(JSON.stringify(calls)).not.toContain(PASSWORD);
  });

  it.each(refusals)(
    'closes registration to somebody when it %s, and nothing is kept but that',
    async (_case, behave, message) => {
      const email = newAddress();
      behaviours.set('preRegistration', behave);
      expect(await register(service, registrant(email))).toEqual(registrationClosed);
      expect(await service.app.db.user.count({ where: { email } })).toBe(0);
      expect(await mailsTo(service, email)).toEqual([]);
      expect(await service.app.db.auditEvent.findMany({ where: { email } })).toEqual([
        expect.objectContaining({ type: 'registration.refused', subjectId: null, data: { reason: 'vetoed' } }),
      ]);
      await service.app.background.drain();
      expect(callsOf('postRegistration')).toEqual([]);
      const logged = failures();
      if (message !== null) {
        expect(logged).toEqual([
          expect.objectContaining({ hook: 'preRegistration', msg: 'a hook failed, and so refused' }),
        ]);
        expect(JSON.stringify(logged)).toContain(message);
      }
    },
  );

  it.each(passes)('lets somebody register when it %s', async (_case, behave) => {
    const email = newAddress();
    behaviours.set('preRegistration', behave);
    expect(await register(service, registrant(email))).toMatchObject({ email });
  });

  it('is asked for a taken address, too, and refuses it in the same words', async () => {
    const { user } = await createPerson(service);
    behaviours.set('preRegistration', () => false);
    expect(await register(service, registrant(user.email))).toEqual(registrationClosed);
    expect(await mailsTo(service, user.email)).toEqual([]);
  });

  it('is not asked for what is refused anyway', async () => {
    await register(service, registrant('no address'));
    await register(service, registrant(newAddress(), { password: 'short' }));
    const closed = await startTestService({
      database: service,
      environment: { REGISTRATION: 'closed', HOOKS_MODULE: join(import.meta.dirname, 'modules/steerable.ts') },
    });
    await register(closed, registrant(newAddress()));
    await closed.close();
    expect(callsOf('preRegistration')).toEqual([]);
  });

  it('cannot change what is registered', async () => {
    const email = newAddress();
    behaviours.set('preRegistration', (told) => {
      Object.assign(told as object, { email: 'NOT CANONICAL', firstName: '', status: 'REVOKED' });
    });
    expect(await register(service, registrant(email))).toMatchObject({ email });
    expect(await service.app.db.user.findUnique({ where: { email } })).toMatchObject({ firstName: 'Sofja' });
  });

  it('refuses when it has not answered after five seconds, and not before', async () => {
    const email = newAddress();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const asked = Promise.withResolvers<void>();
    behaviours.set('preRegistration', () => {
      asked.resolve();
      return new Promise(() => {});
    });
    const answer = register(service, registrant(email));
    await asked.promise;
    vi.advanceTimersByTime(TIMEOUT_MILLISECONDS - 1);
    await service.app.db.user.count();
    expect(failures()).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(await answer).toEqual(registrationClosed);
    expect(JSON.stringify(failures())).toContain('no answer within 5000 ms');
  });

  it('is not heard any more after that, whatever it says or throws', async () => {
    const email = newAddress();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const late = Promise.withResolvers<boolean>();
    behaviours.set('preRegistration', () => late.promise);
    const answer = register(service, registrant(email));
    await vi.waitUntil(() => callsOf('preRegistration').length === 1, { timeout: 20_000 });
    vi.advanceTimersByTime(TIMEOUT_MILLISECONDS);
    expect(await answer).toEqual(registrationClosed);
    late.reject(new Error('too late'));
    expect(await service.app.db.user.count({ where: { email } })).toBe(0);
    expect(failures()).toHaveLength(1);
  });
});

describe('preLogin', () => {
  it('is told who signs in once the password was right, and of the request', async () => {
    const { user, password } = await createPerson(service);
    await logIn(service, user.email, password);
    const { id, email, firstName, lastName, status, emailVerified, createdAt } = user;
    expect(callsOf('preLogin')).toEqual([
      [{ id, email, firstName, lastName, status, emailVerified, createdAt }, theRequest],
    ]);
  });

  it('is not asked after a wrong password, nor for who may not sign in', async () => {
    const pending = await createPerson(service, { status: 'PENDING' });
    const unproven = await createPerson(service, { emailVerified: false });
    await logIn(service, pending.user.email, 'not the password of anybody');
    for (const { user, password } of [pending, unproven]) await logIn(service, user.email, password);
    expect(callsOf('preLogin')).toEqual([]);
  });

  it.each(refusals)('refuses like a wrong password when it %s, and no session is opened', async (_case, behave) => {
    const { user, password } = await createPerson(service);
    behaviours.set('preLogin', behave);
    expect(await logIn(service, user.email, password)).toEqual(invalidCredentials);
    expect(await service.app.db.session.count({ where: { userId: user.id } })).toBe(0);
    expect(await service.app.db.auditEvent.findMany({ where: { email: user.email } })).toEqual([
      expect.objectContaining({ type: 'login.failed', subjectId: user.id, data: { reason: 'vetoed' } }),
    ]);
    await service.app.background.drain();
    expect(callsOf('postLogin')).toEqual([]);
    failures();
  });

  it.each(passes)('lets somebody in when it %s', async (_case, behave) => {
    const { user, password } = await createPerson(service);
    behaviours.set('preLogin', behave);
    expect(await logIn(service, user.email, password)).toMatchObject({ user: { id: user.id } });
  });

  it('refuses when it has not answered after five seconds', async () => {
    const { user, password } = await createPerson(service);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    behaviours.set('preLogin', () => new Promise(() => {}));
    const answer = logIn(service, user.email, password);
    await vi.waitUntil(() => callsOf('preLogin').length === 1, { timeout: 20_000 });
    vi.advanceTimersByTime(TIMEOUT_MILLISECONDS);
    expect(await answer).toEqual(invalidCredentials);
    failures();
  });
});

describe('hooks that run afterwards', () => {
  it('are told of the account that was made, as it is', async () => {
    const email = newAddress();
    await register(service, registrant(email));
    await service.app.background.drain();
    const { id, createdAt } = await service.app.db.user.findUniqueOrThrow({ where: { email } });
    const user = { id, email, firstName: 'Sofja', lastName: 'Kowalewskaja', status: 'ACTIVE', createdAt };
    expect(callsOf('postRegistration')).toEqual([[{ ...user, emailVerified: false }, theRequest]]);

    await verifyEmail(service, await newestTokenTo(service, email));
    await service.app.background.drain();
    expect(callsOf('postVerification')).toEqual([[{ ...user, emailVerified: true }, theRequest]]);

    await logIn(service, email);
    await service.app.background.drain();
    expect(callsOf('postLogin')).toEqual([[{ ...user, emailVerified: true }, theRequest]]);

    await resetPassword(service, await resetTokenFor(service, email));
    await service.app.background.drain();
    expect(callsOf('postPasswordReset')).toEqual([[{ ...user, emailVerified: true }, theRequest]]);
    expect(callsOf('postVerification')).toHaveLength(1);
    expect(JSON.stringify(calls)).not.toContain(NEW_PASSWORD);
  });

  it('are not run for an address that was taken, a token that was not good, or a password that was wrong', async () => {
    const { user } = await createPerson(service);
    await register(service, registrant(user.email));
    await verifyEmail(service, 'garbage');
    await resetPassword(service, 'garbage');
    await logIn(service, user.email, 'not the password of anybody');
    await service.app.background.drain();
    expect(calls.map(({ name }) => name)).toEqual(['preRegistration']);
  });

  it('are not run when the transaction comes to nothing', async () => {
    const { pool } = service.app.database;
    await pool.query(`ALTER TABLE audit_events ADD CONSTRAINT full_up CHECK (type <> 'user.registered') NOT VALID`);
    try {
      expect(await register(service, registrant(newAddress()))).toBeNull();
    } finally {
      await pool.query('ALTER TABLE audit_events DROP CONSTRAINT full_up');
    }
    await service.app.background.drain();
    expect(callsOf('postRegistration')).toEqual([]);
    expect(failures()).toHaveLength(1);
  });

  it('find what they are told of in the database, from another connection', async () => {
    const email = newAddress();
    const found: unknown[] = [];
    behaviours.set('postRegistration', async () => {
      found.push(await service.app.db.user.count({ where: { email } }));
    });
    await register(service, registrant(email));
    await service.app.background.drain();
    expect(found).toEqual([1]);
  });

  it.each(refusals)('change nothing when one %s', async (_case, behave) => {
    const email = newAddress();
    for (const name of ['postRegistration', 'postVerification', 'postPasswordReset', 'postLogin'] as const) {
      behaviours.set(name, behave);
    }
    expect(await register(service, registrant(email))).toMatchObject({ email });
    const token = await newestTokenTo(service, email);
    expect(await verifyEmail(service, token)).toMatchObject({ email });
    expect(await logIn(service, email)).toMatchObject({ user: { email } });
    expect(await resetPassword(service, await resetTokenFor(service, email))).toEqual(passwordReset(email));
    await service.app.background.drain();
    expect(calls.map(({ name }) => name).filter((name) => name.startsWith('post'))).toHaveLength(4);
    const logged = failures();
    expect([0, 4]).toContain(logged.length);
    for (const line of logged) expect(line).toMatchObject({ work: expect.stringMatching(/^hook post/) });
  });

  it('do not hold up the answer', async () => {
    const email = newAddress();
    const release = Promise.withResolvers<void>();
    behaviours.set('postRegistration', () => release.promise);
    expect(await register(service, registrant(email))).toMatchObject({ email });
    await vi.waitUntil(() => callsOf('postRegistration').length === 1, { timeout: 20_000 });
    release.resolve();
    await service.app.background.drain();
  });

  it('are waited for when the service closes', async () => {
    const HOOKS_MODULE = join(import.meta.dirname, 'modules/steerable.ts');
    const closing = await startTestService({ database: service, environment: { HOOKS_MODULE } });
    const release = Promise.withResolvers<void>();
    const found: unknown[] = [];
    behaviours.set('postRegistration', async () => {
      await release.promise;
      found.push(await closing.app.db.user.count({ where: { email } }));
    });
    const email = newAddress();
    await register(closing, registrant(email));
    await vi.waitUntil(() => callsOf('postRegistration').length === 1, { timeout: 20_000 });
    const closed = closing.close();
    await vi.waitUntil(() => isGone(closing), { timeout: 20_000 });
    expect(found).toEqual([]);
    release.resolve();
    await closed;
    expect(found).toEqual([1]);
  });
});
