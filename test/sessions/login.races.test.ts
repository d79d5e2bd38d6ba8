import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { hashPassword } from '../../src/crypto/password-hash.ts';
import { endSessions } from '../../src/sessions/end.ts';
import { graphql } from '../gql/gql.ts';
import { holdHashGate } from '../support/hash-gate.ts';
import { someStatementWaits } from '../support/lock-waits.ts';
import { createPerson, type Person } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { withMeanwhile } from '../support/statements.ts';
import { faultsOf, invalidCredentials, Login, Me, Refresh, refreshTokenOf, tokensOf } from './operations.ts';

// Many rounds, on a machine that may be busy with other files.
vi.setConfig({ testTimeout: 60_000 });

const ROUNDS = 20;
const NEW_PASSWORD = 'eighteen little goats and a wolf';

let service: TestService;
let newPasswordHash: string;

beforeAll(async () => {
  service = await startTestService();
  newPasswordHash = await hashPassword(service.app.config.argon2, NEW_PASSWORD);
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

function logIn({ user, password }: Person) {
  return service.execute(Login, { input: { email: user.email, password } });
}

const emailNotVerified = {
  __typename: 'EmailNotVerifiedError',
  code: 'EMAIL_NOT_VERIFIED',
  message: 'The e-mail address has to be verified first.',
};

const userInactive = {
  __typename: 'UserInactiveError',
  code: 'USER_INACTIVE',
  message: 'The account has been revoked.',
  status: 'REVOKED',
};

/** What happens to the account, in SQL with the user's id as its only parameter, and what the login answers then. */
const changes = [
  {
    change: 'the password is changed',
    sql: () => `UPDATE users SET password_hash = '${newPasswordHash}' WHERE id = $1`,
    answer: invalidCredentials,
  },
  {
    change: 'the password is removed',
    sql: () => 'UPDATE users SET password_hash = NULL WHERE id = $1',
    answer: invalidCredentials,
  },
  {
    change: 'the user is revoked',
    sql: () => `UPDATE users SET status = 'REVOKED' WHERE id = $1`,
    answer: userInactive,
  },
  {
    change: 'the address loses its verification',
    sql: () => 'UPDATE users SET email_verified = false WHERE id = $1',
    answer: emailNotVerified,
  },
  {
    change: 'the address is changed',
    sql: () => `UPDATE users SET email = 'moved.' || email WHERE id = $1`,
    answer: invalidCredentials,
  },
  { change: 'the user is deleted', sql: () => 'DELETE FROM users WHERE id = $1', answer: invalidCredentials },
];

describe('a login in flight', () => {
  it.each(changes)('leaves no session when $change while its password waits to be hashed', async ({ sql, answer }) => {
    const person = await createPerson(service);
    const gate = holdHashGate(service.app);
    const login = logIn(person);
    await gate.somebodyWaits();
    await service.app.database.pool.query(sql(), [person.user.id]);
    await gate.release();

    expect((await login).data).toEqual({ login: answer });
    await expectNoSessionOf(person);
  });

  it.each(changes)('leaves no session when $change after its password was found right', async ({ sql, answer }) => {
    const person = await createPerson(service);
    const change = await service.app.database.pool.connect();
    try {
      await change.query('BEGIN');
      await change.query('SELECT id FROM users WHERE id = $1 FOR UPDATE', [person.user.id]);
      const login = logIn(person);
      // The hash is verified by now, and the login stands before the row of its user.
      await someStatementWaits(service);
      await change.query(sql(), [person.user.id]);
      await change.query('COMMIT');

      expect((await login).data).toEqual({ login: answer });
    } finally {
      change.release();
    }
    await expectNoSessionOf(person);
  });

  it('works when the change it waited for was given up', async () => {
    const person = await createPerson(service);
    const change = await service.app.database.pool.connect();
    try {
      await change.query('BEGIN');
      await change.query(`UPDATE users SET status = 'REVOKED' WHERE id = $1`, [person.user.id]);
      const login = logIn(person);
      await someStatementWaits(service);
      await change.query('ROLLBACK');
      expect(tokensOf(await login).user.id).toBe(person.user.id);
    } finally {
      change.release();
    }
  });

  it('works when somebody else has just replaced the hash by another one of the same password', async () => {
    const person = await createPerson(service);
    const sameAgain = await hashPassword(service.app.config.argon2, person.password);
    const gate = holdHashGate(service.app);
    const login = logIn(person);
    await gate.somebodyWaits();
    await service.app.db.user.update({ where: { id: person.user.id }, data: { passwordHash: sameAgain } });
    await gate.release();
    expect(tokensOf(await login).user.id).toBe(person.user.id);
    expect(await service.app.db.session.count({ where: { userId: person.user.id } })).toBe(1);
  });

  it('is over with the reset of the password, whichever comes first', async () => {
    for (let round = 1; round <= ROUNDS; round += 1) {
      const person = await createPerson(service);
      const [login] = await Promise.all([logIn(person), resetPassword(person)]);

      expect(await liveSessionsOf(person)).toBe(0);
      if (login.data?.login?.__typename === 'AuthPayload') {
        // It was there first, and was ended with the others.
        const { accessToken } = tokensOf(login);
        expect((await service.execute(Me, {}, { accessToken })).data?.me).toBeNull();
        const refreshed = await service.execute(Refresh, { input: { refreshToken: refreshTokenOf(login) } });
        expect(refreshed.data?.refreshToken?.__typename).toBe('InvalidRefreshTokenError');
      } else {
        expect(login.data).toEqual({ login: invalidCredentials });
      }
      expect(tokensOf(await logIn({ ...person, password: NEW_PASSWORD })).user.id).toBe(person.user.id);
    }
  });
});

describe('a login whose user is deleted once it is made', () => {
  const LoginAndLook = graphql(`
    mutation SessionsLoginAndLook($input: LoginInput!) {
      login(input: $input) {
        __typename
        ...SessionsTokens
        ... on AuthPayload {
          user {
            sessions {
              id
            }
          }
        }
      }
    }
  `);

  it('is answered as of then, and is no fault', async () => {
    const { user, password } = await createPerson(service);
    let isOpened = false;
    const answer = await withMeanwhile(
      (statement) => {
        const wasOpened = isOpened;
        isOpened ||= statement.includes('INSERT INTO sessions');
        return wasOpened;
      },
      () => service.app.database.pool.query('DELETE FROM users WHERE id = $1', [user.id]),
      () => service.execute(LoginAndLook, { input: { email: user.email, password } }),
    );
    expect(answer.errors).toEqual([]);
    expect(answer.data?.login).toMatchObject({ __typename: 'AuthPayload', user: { sessions: [] } });
  });
});

/** As everything does that ends sessions: the user first, the sessions second, in one transaction. */
function resetPassword({ user }: Person): Promise<number> {
  const { app } = service;
  const client = { ipAddress: null, userAgent: null, requestId: null };
  return app.db.$transaction(async (transaction) => {
    await transaction.user.update({ where: { id: user.id }, data: { passwordHash: newPasswordHash } });
    return endSessions(app, transaction, client, { userId: user.id, actorId: user.id, reason: 'revoked' });
  });
}

function liveSessionsOf({ user }: Person): Promise<number> {
  return service.app.db.session.count({ where: { userId: user.id, revokedAt: null } });
}

async function expectNoSessionOf({ user }: Person): Promise<void> {
  const { db } = service.app;
  expect(await db.session.count({ where: { userId: user.id } })).toBe(0);
  expect(await db.auditEvent.findMany({ where: { email: user.email }, select: { type: true } })).toEqual([
    { type: 'login.failed' },
  ]);
  const now = await db.user.findUnique({ where: { id: user.id }, select: { lastLoginAt: true } });
  expect(now?.lastLoginAt ?? null).toBeNull();
}
