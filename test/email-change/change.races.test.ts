import { v7 as newId } from 'uuid';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { hashPassword } from '../../src/crypto/password-hash.ts';
import { oneTimeTokenOf } from '../../src/tokens/service.ts';
import {
  accepted,
  confirmEmailChange,
  emailTaken,
  invalidCredentials,
  invalidToken,
  RequestEmailChange,
  register,
  registrant,
  requestEmailChange,
} from '../registration/operations.ts';
import { errorsOf, faultsOf, unauthenticated } from '../sessions/operations.ts';
import { holdHashGate } from '../support/hash-gate.ts';
import { someStatementWaits } from '../support/lock-waits.ts';
import { createPerson, type Person, signIn } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { asAdministrator, RevokeUser, UpdateUser } from '../verification/operations.ts';

const ROUNDS = 20;

let service: TestService;

beforeAll(async () => {
  service = await startTestService();
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

async function signedIn(): Promise<Person & { readonly accessToken: string }> {
  const person = await createPerson(service);
  const { accessToken } = await signIn(service, { email: person.user.email, password: person.password });
  return { ...person, accessToken };
}

async function requested(newEmail: string): Promise<Person & { readonly token: string }> {
  const person = await signedIn();
  return { ...person, token: await tokenFor(person, newEmail) };
}

async function tokenFor(person: Person & { readonly accessToken: string }, newEmail: string): Promise<string> {
  const { accessToken, user, password } = person;
  await requestEmailChange(service, accessToken, { newEmail, currentPassword: password });
  const row = await service.app.db.oneTimeToken.findFirstOrThrow({ where: { userId: user.id } });
  return oneTimeTokenOf(service.app, row);
}

function emailOf({ user }: Person): Promise<string> {
  return service.app.db.user.findUniqueOrThrow({ where: { id: user.id } }).then(({ email }) => email);
}

describe('confirmEmailChange', () => {
  it(`gives one address to one of two people who confirm it at once, ${ROUNDS} times`, async () => {
    for (let round = 1; round <= ROUNDS; round += 1) {
      const newEmail = `wanted-${round}@latchkey.test`;
      const people = await Promise.all([requested(newEmail), requested(newEmail)]);
      const answers = await Promise.all(people.map(({ token }) => confirmEmailChange(service, token)));
      const winner = answers.findIndex((answer) => answer?.__typename === 'UserPayload');
      const [won, lost] = winner === 0 ? people : people.toReversed();
      expect(answers[1 - winner]).toEqual(emailTaken);
      expect(won && (await emailOf(won))).toBe(newEmail);
      expect(lost && (await emailOf(lost))).toBe(lost?.user.email);
      // The loser's token was not used up.
      expect(await confirmEmailChange(service, lost?.token ?? '')).toEqual(emailTaken);
      expect(await confirmEmailChange(service, won?.token ?? '')).toEqual(invalidToken('ALREADY_USED'));
    }
  });

  it(`takes a token once of ten times at once, ${ROUNDS} times`, async () => {
    for (let round = 1; round <= ROUNDS; round += 1) {
      const person = await requested(`once-${round}@latchkey.test`);
      const answers = await Promise.all(Array.from({ length: 10 }, () => confirmEmailChange(service, person.token)));
      expect(answers.filter((answer) => answer?.__typename === 'UserPayload')).toHaveLength(1);
      expect(answers.filter((answer) => answer?.__typename === 'InvalidTokenError')).toEqual(
        Array(9).fill(invalidToken('ALREADY_USED')),
      );
      const where = { subjectId: person.user.id, type: 'email.changed' };
      expect(await service.app.db.auditEvent.count({ where })).toBe(1);
    }
  });

  it(`or a registration gets the address, never both, ${ROUNDS} times`, async () => {
    for (let round = 1; round <= ROUNDS; round += 1) {
      const newEmail = `either-${round}@latchkey.test`;
      const person = await requested(newEmail);
      const [confirmed, registered] = await Promise.all([
        confirmEmailChange(service, person.token),
        register(service, registrant(newEmail)),
      ]);
      expect(registered).toMatchObject({ __typename: 'RegisterUserPayload', email: newEmail });
      const owner = await service.app.db.user.findUniqueOrThrow({ where: { email: newEmail } });
      if (confirmed?.__typename === 'UserPayload') {
        expect(owner.id).toBe(person.user.id);
      } else {
        expect(confirmed).toEqual(emailTaken);
        expect(owner).toMatchObject({ firstName: 'Sofja', emailVerified: false });
      }
    }
  });
});

describe('confirmEmailChange of two people who want each other’s address', () => {
  it(`tells both that it is taken, ${ROUNDS} times`, async () => {
    for (let round = 1; round <= ROUNDS; round += 1) {
      const [one, other] = [await signedIn(), await signedIn()];
      const tokens = [await tokenFor(one, other.user.email), await tokenFor(other, one.user.email)];
      const answers = await Promise.all(tokens.map((token) => confirmEmailChange(service, token)));
      for (const answer of answers) expect(answer).toEqual(emailTaken);
      expect(await Promise.all([emailOf(one), emailOf(other)])).toEqual([one.user.email, other.user.email]);
    }
  });
});

describe('confirmEmailChange and an administrator', () => {
  /** How often each of them came first. */
  async function race(operate: (userId: string, administrators: { readonly accessToken: string }) => Promise<unknown>) {
    const administrators = await asAdministrator(service);
    const outcomes = [];
    for (let round = 1; round <= ROUNDS; round += 1) {
      const newEmail = `${newId()}@latchkey.test`;
      const person = await requested(newEmail);
      const [answer] = await Promise.all([
        confirmEmailChange(service, person.token),
        operate(person.user.id, administrators),
      ]);
      const user = await service.app.db.user.findUniqueOrThrow({ where: { id: person.user.id } });
      outcomes.push({ person, newEmail, answer, user });
    }
    return outcomes;
  }

  it(`who revokes the account: the address is changed before or not at all, ${ROUNDS} times`, async () => {
    const outcomes = await race((id, administrators) => service.execute(RevokeUser, { id }, administrators));
    for (const { person, newEmail, answer, user } of outcomes) {
      const wasFirst = answer?.__typename === 'UserPayload';
      if (!wasFirst) expect(answer).toEqual(invalidToken('REVOKED'));
      expect(user).toMatchObject({ status: 'REVOKED', email: wasFirst ? newEmail : person.user.email });
    }
  });

  it(`who gives the account a third address: that is the one it has, unproven, ${ROUNDS} times`, async () => {
    const outcomes = await race((id, administrators) =>
      service.execute(UpdateUser, { input: { id, email: `${id}@latchkey.test` } }, administrators),
    );
    for (const { answer, user } of outcomes) {
      if (answer?.__typename !== 'UserPayload') expect(answer).toEqual(invalidToken('REVOKED'));
      expect(user).toMatchObject({ email: `${user.id}@latchkey.test`, emailVerified: false });
    }
  });
});

describe('a request for another address', () => {
  const NEW_PASSWORD = 'eighteen little goats and a wolf';

  it('in flight does not outlive a change of the password that it was made with', async () => {
    const person = await signedIn();
    const gate = holdHashGate(service.app);
    const newEmail = 'in-flight@latchkey.test';
    const asked = requestEmailChange(service, person.accessToken, { newEmail, currentPassword: person.password });
    await gate.somebodyWaits();
    const passwordHash = await hashPassword(service.app.config.argon2, NEW_PASSWORD);
    await service.app.db.user.update({ where: { id: person.user.id }, data: { passwordHash } });
    await gate.release();
    expect(await asked).toEqual(invalidCredentials);
    expect(await service.app.db.mail.count({ where: { userId: person.user.id } })).toBe(0);
  });

  it.each([
    ['the account is revoked', `UPDATE users SET status = 'REVOKED' WHERE id = $1`],
    ['the session is ended', 'UPDATE sessions SET revoked_at = now() WHERE user_id = $1'],
    ['the account is deleted', 'DELETE FROM users WHERE id = $1'],
  ])('owes nobody anything when %s meanwhile', async (_change, sql) => {
    const { answer, mails } = await askedMeanwhile(sql);
    expect(answer.data).toEqual({ requestEmailChange: null });
    expect(errorsOf(answer)).toEqual([unauthenticated('requestEmailChange')]);
    expect(mails).toBe(0);
  });

  it('owes nobody anything when the address changes meanwhile', async () => {
    const { answer, mails } = await askedMeanwhile(`UPDATE users SET email = 'moved.' || email WHERE id = $1`);
    expect(answer.data).toEqual({ requestEmailChange: invalidCredentials });
    expect(mails).toBe(0);
  });

  /** The answer to somebody whose account changes while the request waits for its row. */
  async function askedMeanwhile(sql: string) {
    const { user, password, accessToken } = await signedIn();
    const newEmail = `meanwhile-${user.email}`;
    const change = await service.app.database.pool.connect();
    try {
      await change.query('BEGIN');
      await change.query('SELECT id FROM users WHERE id = $1 FOR UPDATE', [user.id]);
      const input = { newEmail, currentPassword: password };
      const asked = service.execute(RequestEmailChange, { input }, { accessToken });
      await someStatementWaits(service);
      await change.query(sql, [user.id]);
      await change.query('COMMIT');
      const answer = await asked;
      return { answer, mails: await service.app.db.mail.count({ where: { recipient: newEmail } }) };
    } finally {
      change.release();
    }
  }

  it(`of many at once leaves one link that works, ${ROUNDS} times`, async () => {
    for (let round = 1; round <= ROUNDS; round += 1) {
      const person = await signedIn();
      const asked = Array.from({ length: 5 }, (_, index) =>
        requestEmailChange(service, person.accessToken, {
          newEmail: `many-${round}-${index}@latchkey.test`,
          currentPassword: person.password,
        }),
      );
      expect(await Promise.all(asked)).toEqual(Array(5).fill(accepted));
      const rows = await service.app.db.oneTimeToken.findMany({ where: { userId: person.user.id } });
      const tokens = rows.map((row) => oneTimeTokenOf(service.app, row));
      const answers = [];
      for (const token of tokens) answers.push(await confirmEmailChange(service, token));
      expect(answers.filter((answer) => answer?.__typename === 'UserPayload')).toHaveLength(1);
    }
  });
});
