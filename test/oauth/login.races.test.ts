import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { faultsOf } from '../sessions/operations.ts';
import { someStatementWaits } from '../support/lock-waits.ts';
import { createPerson } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { CLIENT_ID, type Issuer, startIssuer } from './issuer.ts';
import { invalidIdToken, LogInWithOAuth, revoked, signedInBy } from './operations.ts';

let issuer: Issuer;
let service: TestService;
/** On the same database. */
let instance: TestService;

beforeAll(async () => {
  issuer = await startIssuer(() => service.clock.now());
  const entry = { name: 'example', issuer: issuer.url, audience: [CLIENT_ID], autoCreate: true };
  const environment = { OAUTH_PROVIDERS: JSON.stringify([entry]), RATE_LIMITING: 'on' };
  service = await startTestService({ environment });
  instance = await startTestService({ database: service, environment });
});
afterEach(async () => {
  expect([...faultsOf(service), ...faultsOf(instance)]).toEqual([]);
  await service.app.db.rateLimit.deleteMany();
});
afterAll(async () => {
  await instance?.close();
  await Promise.all([service?.close(), issuer?.close()]);
});

function logIn(idToken: string, at = service) {
  return at.execute(LogInWithOAuth, { input: { provider: 'example', idToken } });
}

async function tokens(count: number, claims: Readonly<Record<string, unknown>>): Promise<string[]> {
  return Promise.all(Array.from({ length: count }, () => issuer.idToken(claims)));
}

/** Half of them at each instance. */
function logInAtOnce(idTokens: readonly string[]) {
  return Promise.all(idTokens.map((idToken, index) => logIn(idToken, index % 2 === 0 ? service : instance)));
}

describe('at the same time', () => {
  it('fifty first sign-ins of one subject make one user, and sign each of them in', async () => {
    const answers = await logInAtOnce(await tokens(50, { sub: 'fifty', email: 'fifty@provider.test' }));
    const ids = new Set(answers.map((answer) => signedInBy(answer).user.id));
    expect(ids.size).toBe(1);
    const [id = ''] = ids;
    expect(await service.app.db.identity.findMany({ where: { subject: 'fifty' }, select: { userId: true } })).toEqual([
      { userId: id },
    ]);
    expect(await service.app.db.session.count({ where: { userId: id } })).toBe(50);
    expect(await service.app.db.auditEvent.count({ where: { subjectId: id, type: 'user.registered' } })).toBe(1);
  });

  it('first sign-ins of one subject with two addresses make one user', async () => {
    const [left, right] = await Promise.all([
      tokens(10, { sub: 'moving', email: 'left@provider.test' }),
      tokens(10, { sub: 'moving', email: 'right@provider.test' }),
    ]);
    const answers = await logInAtOnce(left.flatMap((token, index) => [token, right[index] ?? '']));
    expect(new Set(answers.map((answer) => signedInBy(answer).user.id)).size).toBe(1);
    const where = { email: { in: ['left@provider.test', 'right@provider.test'] } };
    expect(await service.app.db.user.count({ where })).toBe(1);
  });

  it('two subjects with one verified address become one user with both', async () => {
    const email = 'shared@provider.test';
    const both = await Promise.all(['a', 'b'].map((sub) => issuer.idToken({ sub: `shared-${sub}`, email })));
    const answers = await logInAtOnce(both);
    expect(new Set(answers.map((answer) => signedInBy(answer).user.id)).size).toBe(1);
    const { identities } = await service.app.db.user.findUniqueOrThrow({
      where: { email },
      include: { identities: true },
    });
    expect(identities.map(({ subject }) => subject).toSorted()).toEqual(['shared-a', 'shared-b']);
  });

  it('one token, twenty times, opens one session', async () => {
    const idToken = await issuer.idToken({ sub: 'replayed' });
    const answers = await logInAtOnce(Array.from({ length: 20 }, () => idToken));
    const results = answers.map(({ data }) => data?.loginWithOAuth?.__typename).toSorted();
    expect(results).toEqual(['AuthPayload', ...Array.from({ length: 19 }, () => 'InvalidIdTokenError')]);
    const { userId } = await service.app.db.identity.findFirstOrThrow({ where: { subject: 'replayed' } });
    expect(await service.app.db.session.count({ where: { userId } })).toBe(1);
  });

  it('ten owners’ sign-ins take an unproven account over once', async () => {
    const { user } = await createPerson(service, { emailVerified: false });
    const answers = await logInAtOnce(await tokens(10, { sub: 'owner', email: user.email }));
    for (const answer of answers) expect(signedInBy(answer).user.id).toBe(user.id);
    const where = { subjectId: user.id, type: 'email.verified' };
    expect(await service.app.db.auditEvent.count({ where })).toBe(1);
    expect(await service.app.db.session.count({ where: { userId: user.id, revokedAt: null } })).toBe(10);
  });

  it.each([
    ['revoked', { status: 'REVOKED' as const }, revoked],
    ['given another address', { email: 'elsewhere@provider.test' }, null],
  ])('a user who is %s meanwhile is judged by what holds then', async (_what, change, expected) => {
    const { user } = await createPerson(service);
    const idToken = await issuer.idToken({ sub: `overtaken-${user.id}`, email: user.email });
    let answer: ReturnType<typeof logIn> | undefined;
    await service.app.db.$transaction(async (transaction) => {
      await transaction.user.update({ where: { id: user.id }, data: change });
      answer = logIn(idToken);
      await someStatementWaits(service);
    });
    const result = (await answer)?.data?.loginWithOAuth;
    if (expected !== null) expect(result).toEqual(expected);
    // Whose address it was is somebody else now: the person gets an account of their own.
    else expect(result).toMatchObject({ user: { email: user.email, emailVerified: true } });
    expect(await service.app.db.session.count({ where: { userId: user.id } })).toBe(0);
    expect(await service.app.db.identity.count({ where: { userId: user.id } })).toBe(0);
  });

  it('an identity that is unlinked meanwhile signs nobody in', async () => {
    const { user } = signedInBy(
      await logIn(await issuer.idToken({ sub: 'unlinked', email: 'unlinked@provider.test' })),
    );
    const idToken = await issuer.idToken({ sub: 'unlinked', email: 'other@provider.test', email_verified: false });
    let answer: ReturnType<typeof logIn> | undefined;
    await service.app.db.$transaction(async (transaction) => {
      await transaction.$queryRaw`SELECT id FROM users WHERE id = ${user.id}::uuid FOR NO KEY UPDATE`;
      answer = logIn(idToken);
      await someStatementWaits(service);
      await transaction.identity.deleteMany({ where: { userId: user.id } });
      await transaction.user.create({
        data: {
          email: 'other@provider.test',
          firstName: 'A',
          lastName: 'B',
          createdAt: new Date(),
          updatedAt: new Date(),
        },
      });
    });
    expect((await answer)?.data?.loginWithOAuth).toMatchObject({ __typename: 'EmailNotVerifiedError' });
    expect(await service.app.db.session.count({ where: { userId: user.id } })).toBe(1);
    expect((await logIn(idToken)).data).toEqual({ loginWithOAuth: invalidIdToken });
  });
});
