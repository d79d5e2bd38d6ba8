import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AcceptInvitation, invited, PASSWORD } from '../invitations/operations.ts';
import { createPerson, type Person } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { withStatements } from '../support/statements.ts';
import { createStaff, type Staff } from '../users/staff.ts';
import { faultsOf, invalidCredentials, Login, Me, Refresh, tokensOf } from './operations.ts';

let service: TestService;
let inviter: Staff;

beforeAll(async () => {
  service = await startTestService();
  inviter = await createStaff(service, ['INVITATIONS_WRITE']);
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

interface Browser {
  readonly cookie: string;
  readonly accessToken: string;
  readonly sessionId: string;
}

function browserOf(answer: Parameters<typeof tokensOf>[0]): Browser {
  const { accessToken, session } = tokensOf(answer);
  const [cookie = ''] = answer.headers.getSetCookie()[0]?.split(';') ?? [];
  return { cookie, accessToken, sessionId: session.id };
}

function logIn({ user, password }: Person, cookie?: string) {
  const input = { email: user.email, password, refreshTokenTransport: 'COOKIE' } as const;
  return service.execute(Login, { input }, { cookie });
}

async function signedIn(person: Person, cookie?: string): Promise<Browser> {
  return browserOf(await logIn(person, cookie));
}

async function refreshed({ cookie }: Browser): Promise<Browser> {
  return browserOf(await service.execute(Refresh, {}, { cookie }));
}

async function isLive({ accessToken }: Browser): Promise<boolean> {
  return (await service.execute(Me, {}, { accessToken })).data?.me !== null;
}

function endingsOf({ user }: Person) {
  return service.app.db.auditEvent.findMany({
    where: { subjectId: user.id, type: 'session.revoked' },
    select: { actorId: true, email: true, data: true },
  });
}

describe('a sign-in with the cookie of an open session', () => {
  it('ends that session and no other, on record', async () => {
    const person = await createPerson(service);
    const [before, elsewhere] = [await signedIn(person), await signedIn(person)];
    const after = await signedIn(person, before.cookie);
    expect([await isLive(before), await isLive(elsewhere), await isLive(after)]).toEqual([false, true, true]);
    expect(await endingsOf(person)).toEqual([
      {
        actorId: person.user.id,
        email: person.user.email,
        data: { reason: 'replaced', revokedSessions: 1, sessionId: before.sessionId },
      },
    ]);
  });

  it('ends it also when somebody else signs in', async () => {
    const [first, second] = [await createPerson(service), await createPerson(service)];
    const before = await signedIn(first);
    const after = await signedIn(second, before.cookie);
    expect([await isLive(before), await isLive(after)]).toEqual([false, true]);
    expect(await endingsOf(first)).toMatchObject([{ actorId: second.user.id, email: first.user.email }]);
  });

  it('ends it when an invitation is accepted', async () => {
    const person = await createPerson(service);
    const before = await signedIn(person);
    const { token } = await invited(service, inviter);
    const input = { token, password: PASSWORD, refreshTokenTransport: 'COOKIE' } as const;
    const { data } = await service.execute(AcceptInvitation, { input }, { cookie: before.cookie });
    expect(data?.acceptInvitation?.__typename).toBe('AuthPayload');
    expect(await isLive(before)).toBe(false);
  });

  it('ends it with the token that was traded last, for as long as that one answers', async () => {
    const person = await createPerson(service);
    const before = await signedIn(person);
    const next = await refreshed(before);
    service.clock.advanceSeconds(9);
    await logIn(person, before.cookie);
    expect(await isLive(next)).toBe(false);
  });

  it.each([
    [
      'the token that was traded last, once it answers no more',
      async (browser: Browser) => {
        const next = await refreshed(browser);
        service.clock.advanceSeconds(10);
        return next;
      },
    ],
    ['a token before that one', async (browser: Browser) => refreshed(await refreshed(browser))],
  ])('ends nothing with %s', async (_which, trade) => {
    const person = await createPerson(service);
    const before = await signedIn(person);
    const next = await trade(before);
    await logIn(person, before.cookie);
    expect(await isLive(next)).toBe(true);
    expect(await endingsOf(person)).toEqual([]);
  });

  it('ends nothing when it is refused', async () => {
    const person = await createPerson(service);
    const before = await signedIn(person);
    const { data } = await logIn({ ...person, password: 'not the password' }, before.cookie);
    expect(data).toEqual({ login: invalidCredentials });
    expect(await isLive(before)).toBe(true);
  });

  it('succeeds in each of two tabs, whose session was one', async () => {
    const person = await createPerson(service);
    const before = await signedIn(person);
    const after = await Promise.all([signedIn(person, before.cookie), signedIn(person, before.cookie)]);
    expect(await isLive(before)).toBe(false);
    expect(await Promise.all(after.map(isLive))).toEqual([true, true]);
    expect(await endingsOf(person)).toHaveLength(1);
  });

  it('succeeds for two people at once who have each other’s browser, again and again', async () => {
    const [first, second] = [await createPerson(service), await createPerson(service)];
    for (let round = 0; round < 10; round += 1) {
      const [ofFirst, ofSecond] = [await signedIn(first), await signedIn(second)];
      const after = await Promise.all([signedIn(first, ofSecond.cookie), signedIn(second, ofFirst.cookie)]);
      expect([await isLive(ofFirst), await isLive(ofSecond)]).toEqual([false, false]);
      expect(await Promise.all(after.map(isLive))).toEqual([true, true]);
    }
  });
});

describe('a sign-in with a cookie that is none of ours', () => {
  it('makes the same statements as one without any', async () => {
    const person = await createPerson(service);
    const without = await withStatements(() => logIn(person));
    const garbage = await withStatements(() => logIn(person, `latchkey_refresh=${'x'.repeat(71)}`));
    expect(garbage.statements).toEqual(without.statements);
    const { cookie } = await signedIn(person);
    const genuine = await withStatements(() => logIn(person, cookie));
    expect(genuine.statements.length).toBeGreaterThan(without.statements.length);
  });
});
