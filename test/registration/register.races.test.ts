import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { mailsTo, newestTokenTo } from '../mailbox/reading.ts';
import { faultsOf } from '../sessions/operations.ts';
import { someStatementWaits } from '../support/lock-waits.ts';
import { createPerson } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { logIn, register, registrant, verifyEmail } from './operations.ts';

const ROUNDS = 20;

describe('parallel registrations', () => {
  let service: TestService;

  beforeAll(async () => {
    service = await startTestService();
  });
  afterEach(() => expect(faultsOf(service)).toEqual([]));
  afterAll(() => service.close());

  /** All at once, each with an address in another case and a password of its own. */
  async function registerAll(email: string, count: number): Promise<void> {
    const forms = Array.from({ length: count }, (_, index) => inCase(email, index));
    expect(new Set(forms).size).toBe(count);
    const answers = await Promise.all(
      forms.map((form, index) => register(service, registrant(form, { password: passwordOf(index) }))),
    );
    for (const answer of answers) expect(answer).toEqual({ ...answers[0], __typename: 'RegisterUserPayload', email });
  }

  async function expectOneAccount(email: string, count: number): Promise<void> {
    const { db } = service.app;
    const users = await db.user.findMany({ where: { email: { equals: email, mode: 'insensitive' } } });
    expect(users.map((user) => user.email)).toEqual([email]);
    const held = await db.userRole.findMany({ where: { userId: users[0]?.id ?? '' }, include: { role: true } });
    expect(held.map(({ role }) => role.name)).toEqual(['user']);
    expect(await db.oneTimeToken.count({ where: { email } })).toBe(1);
    const subjects = (await mailsTo(service, email)).map(({ subject }) => subject);
    expect(subjects.filter((subject) => subject === 'Please confirm your e-mail address')).toHaveLength(1);
    expect(subjects.filter((subject) => subject === 'You already have an account')).toHaveLength(count - 1);
    const types = (await db.auditEvent.findMany({ where: { email } })).map(({ type }) => type);
    expect(types.filter((type) => type === 'user.registered')).toHaveLength(1);
    expect(types.filter((type) => type === 'registration.refused')).toHaveLength(count - 1);
  }

  it('of one address in fifty forms make one account, whose password is that of one of them', async () => {
    const email = 'parallel.fifty@latchkey.test';
    await registerAll(email, 50);
    await expectOneAccount(email, 50);

    await verifyEmail(service, await newestTokenTo(service, email));
    const logins = await Promise.all(
      Array.from({ length: 50 }, (_, index) => logIn(service, email, passwordOf(index))),
    );
    expect(logins.filter((login) => login?.__typename === 'AuthPayload')).toHaveLength(1);
  });

  it(`make one account each time, ${ROUNDS} times`, async () => {
    for (let round = 1; round <= ROUNDS; round += 1) {
      const email = `rounds.of.five.${round}@latchkey.test`;
      await registerAll(email, 5);
      const users = await service.app.db.user.count({ where: { email: { equals: email, mode: 'insensitive' } } });
      expect(users).toBe(1);
    }
  });
});

describe('a registration whose address becomes free while it waits for its owner', () => {
  it.each(['required', 'off'])('makes the account, with EMAIL_VERIFICATION=%s', async (emailVerification) => {
    const service = await startTestService({ environment: { EMAIL_VERIFICATION: emailVerification } });
    const { user } = await createPerson(service);
    const deletion = await service.app.database.pool.connect();
    try {
      await deletion.query('BEGIN');
      await deletion.query('SELECT id FROM users WHERE id = $1 FOR UPDATE', [user.id]);
      const registration = register(service, registrant(user.email));
      // The address was found taken, and its owner is being looked for.
      await someStatementWaits(service);
      await deletion.query('DELETE FROM users WHERE id = $1', [user.id]);
      await deletion.query('COMMIT');
      expect(await registration).toMatchObject({ __typename: 'RegisterUserPayload', email: user.email });
    } finally {
      deletion.release();
    }
    const { db } = service.app;
    const owner = await db.user.findUniqueOrThrow({ where: { email: user.email } });
    expect(owner).toMatchObject({ firstName: 'Sofja', emailVerified: false });
    const mails = await db.mail.findMany({ where: { recipient: user.email }, select: { kind: true, userId: true } });
    expect(mails).toEqual(emailVerification === 'off' ? [] : [{ kind: 'email_verification', userId: owner.id }]);
    const events = await db.auditEvent.findMany({ where: { email: user.email } });
    expect(events.map(({ type }) => type)).toEqual(['user.registered']);
    expect(faultsOf(service)).toEqual([]);
    await service.close();
  });
});

/** With the letters of the number's bits in capitals. */
function inCase(email: string, number: number): string {
  return [...email].map((letter, bit) => ((number >> bit) & 1 ? letter.toUpperCase() : letter)).join('');
}

function passwordOf(index: number): string {
  return `the password of number ${index}`;
}
