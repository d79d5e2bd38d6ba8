import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { oneTimeTokenOf } from '../../src/tokens/service.ts';
import { graphql } from '../gql/gql.ts';
import { accepted, invalidCredentials, invalidToken, logIn } from '../registration/operations.ts';
import { faultsOf, Me, Refresh } from '../sessions/operations.ts';
import { holdHashGate } from '../support/hash-gate.ts';
import { createPerson, type SignedInPerson, signIn } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { asAdministrator, DeleteUser, RevokeUser, UpdateUser } from '../verification/operations.ts';
import {
  type Forgetful,
  forgetful,
  NEW_PASSWORD,
  passwordReset,
  RequestReset,
  requestReset,
  resetPassword,
  userInactive,
} from './operations.ts';

// Many rounds, on a machine that may be busy with other files.
vi.setConfig({ testTimeout: 60_000 });

const ROUNDS = 20;
const CHANGED_PASSWORD = 'nineteen tall giraffes in a row';

const ChangePassword = graphql(`
  mutation RecoveryChangePassword($input: ChangePasswordInput!) {
    changePassword(input: $input) {
      __typename
      ... on Error {
        code
        message
      }
    }
  }
`);

let service: TestService;
let administrators: { readonly accessToken: string };

beforeAll(async () => {
  service = await startTestService();
  administrators = await asAdministrator(service);
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

/** With a link that no mail was sent for, so that a round costs little. */
async function withLink(): Promise<Forgetful> {
  const person = await createPerson(service);
  await requestReset(service, person.user.email);
  const row = await service.app.db.oneTimeToken.findFirstOrThrow({ where: { userId: person.user.id } });
  return { ...person, token: oneTimeTokenOf(service.app, row) };
}

async function withSession(): Promise<Forgetful & { readonly session: SignedInPerson }> {
  const person = await withLink();
  return { ...person, session: await signIn(service, { email: person.user.email, password: person.password }) };
}

async function rounds(race: (round: number) => Promise<unknown>): Promise<void> {
  for (let round = 1; round <= ROUNDS; round += 1) await race(round);
}

/**
 * In every other round the reset has a head start: it waits for nothing but its hash when the other one begins. So each
 * comes first in some rounds.
 */
async function race<Other>(round: number, { token }: Forgetful, operate: () => Promise<Other>) {
  if (round % 2 === 0) return Promise.all([resetPassword(service, token), operate()]);
  const gate = holdHashGate(service.app);
  const reset = resetPassword(service, token);
  await gate.somebodyWaits();
  const [answer, other] = await Promise.all([reset, operate(), gate.release()]);
  return [answer, other] as const;
}

function liveSessionsOf({ user }: Forgetful): Promise<number> {
  return service.app.db.session.count({ where: { userId: user.id, revokedAt: null } });
}

function stored({ user }: Forgetful) {
  return service.app.db.user.findUnique({ where: { id: user.id } });
}

describe('resetPassword at the same time', () => {
  it(`with the same token: one of ten is made, ${ROUNDS} times`, () =>
    rounds(async () => {
      const person = await withLink();
      const passwords = Array.from({ length: 10 }, (_, index) => `the new password of number ${index}`);
      const answers = await Promise.all(passwords.map((password) => resetPassword(service, person.token, password)));
      const winner = answers.findIndex((answer) => answer?.__typename === 'ResetPasswordPayload');
      expect(answers.toSpliced(winner, 1)).toEqual(Array(9).fill(invalidToken('ALREADY_USED')));
      expect(await logIn(service, person.user.email, passwords[winner])).toMatchObject({
        user: { id: person.user.id },
      });
      const where = { subjectId: person.user.id, type: 'password.reset' };
      expect(await service.app.db.auditEvent.count({ where })).toBe(1);
      const notices = { userId: person.user.id, kind: 'password_reset_done' };
      expect(await service.app.db.mail.count({ where: notices })).toBe(1);
    }));

  it(`as a change of the password: the later one is refused, ${ROUNDS} times`, () =>
    rounds(async () => {
      const person = await withSession();
      const input = { currentPassword: person.password, newPassword: CHANGED_PASSWORD };
      const [reset, changed] = await Promise.all([
        resetPassword(service, person.token),
        service.execute(ChangePassword, { input }, person.session),
      ]);
      const wasReset = reset?.__typename === 'ResetPasswordPayload';
      if (wasReset) {
        // Its session had ended before it was looked at, or the password before it was written.
        const refusal = changed.data?.changePassword ?? changed.errors[0]?.extensions?.code;
        expect([invalidCredentials, 'UNAUTHENTICATED']).toContainEqual(refusal);
      } else {
        expect(reset).toEqual(invalidToken('REVOKED'));
        expect(changed.data?.changePassword?.__typename).toBe('ChangePasswordPayload');
      }
      expect(await liveSessionsOf(person)).toBe(wasReset ? 0 : 1);
      const [password, other] = wasReset ? [NEW_PASSWORD, CHANGED_PASSWORD] : [CHANGED_PASSWORD, NEW_PASSWORD];
      expect(await logIn(service, person.user.email, other)).toEqual(invalidCredentials);
      expect(await logIn(service, person.user.email, password)).toMatchObject({ user: { id: person.user.id } });
    }));

  it(`as sign-ins with the old password: no session of them lives, ${ROUNDS} times`, () =>
    rounds(async () => {
      const person = await withLink();
      const { email } = person.user;
      const [reset, ...logins] = await Promise.all([
        resetPassword(service, person.token),
        ...Array.from({ length: 3 }, () => logIn(service, email, person.password)),
      ]);
      expect(reset).toEqual(passwordReset(email));
      for (const login of logins) {
        if (login?.__typename !== 'AuthPayload') expect(login).toEqual(invalidCredentials);
        else expect((await service.execute(Me, {}, login)).data?.me).toBeNull();
      }
      expect(await liveSessionsOf(person)).toBe(0);
    }));

  it(`as refreshes: what they gave is dead, ${ROUNDS} times`, () =>
    rounds(async () => {
      const person = await withSession();
      const { refreshToken } = person.session;
      const [reset, ...refreshes] = await Promise.all([
        resetPassword(service, person.token),
        ...Array.from({ length: 3 }, () => service.execute(Refresh, { input: { refreshToken } })),
      ]);
      expect(reset).toEqual(passwordReset(person.user.email));
      expect(await liveSessionsOf(person)).toBe(0);
      for (const { data } of refreshes) {
        const refreshed = data?.refreshToken;
        if (refreshed?.__typename !== 'AuthPayload') expect(refreshed).toMatchObject({ code: 'INVALID_REFRESH_TOKEN' });
        else expect((await service.execute(Me, {}, refreshed)).data?.me).toBeNull();
      }
    }));

  it(`as a revocation of the account: made before it or not at all, and revoked it is, ${ROUNDS} times`, () =>
    rounds(async (round) => {
      const person = await withLink();
      const [reset, revoked] = await race(round, person, () =>
        service.execute(RevokeUser, { id: person.user.id }, administrators),
      );
      expect(revoked.data?.revokeUser).toEqual({ __typename: 'UserPayload' });
      const wasReset = reset?.__typename === 'ResetPasswordPayload';
      if (!wasReset) expect(reset).toEqual(userInactive('REVOKED'));
      const user = await stored(person);
      expect(user?.status).toBe('REVOKED');
      expect(user?.passwordHash === person.user.passwordHash).toBe(!wasReset);
    }));

  it(`as a newer request: the used token stays used, the newer link dies with the others, ${ROUNDS} times`, () =>
    rounds(async (round) => {
      const person = await withLink();
      const { email, id } = person.user;
      const [reset, requested] = await race(round, person, () => requestReset(service, email));
      expect(requested).toEqual(accepted);
      const wasReset = reset?.__typename === 'ResetPasswordPayload';
      if (!wasReset) expect(reset).toEqual(invalidToken('REVOKED'));
      const rows = await service.app.db.oneTimeToken.findMany({ where: { userId: id }, orderBy: { id: 'asc' } });
      expect(rows.map(({ consumedAt }) => consumedAt !== null)).toEqual([wasReset, false]);
      const open = rows.filter(({ consumedAt, revokedAt }) => consumedAt === null && revokedAt === null);
      expect(open).toHaveLength(1);
      const [newer] = open.map((row) => oneTimeTokenOf(service.app, row));
      expect(await resetPassword(service, newer ?? '', CHANGED_PASSWORD)).toEqual(passwordReset(email));
    }));

  it(`as a change of the address: the link is for the address that it was sent to, ${ROUNDS} times`, () =>
    rounds(async (round) => {
      const person = await withLink();
      const email = `moved.${person.user.email}`;
      const [reset, moved] = await race(round, person, () =>
        service.execute(UpdateUser, { input: { id: person.user.id, email } }, administrators),
      );
      expect(moved.data?.updateUser).toEqual({ __typename: 'UserPayload' });
      const wasReset = reset?.__typename === 'ResetPasswordPayload';
      if (!wasReset) expect(reset).toEqual(invalidToken('REVOKED'));
      const user = await stored(person);
      // Whichever came first, nobody has proven the new address.
      expect(user).toMatchObject({ email, emailVerified: false });
      expect(user?.passwordHash === person.user.passwordHash).toBe(!wasReset);
    }));

  it(`as the deletion of the account: it is gone, ${ROUNDS} times`, () =>
    rounds(async (round) => {
      const person = await withLink();
      const [reset, deleted] = await race(round, person, () =>
        service.execute(DeleteUser, { id: person.user.id }, administrators),
      );
      expect(deleted.data?.deleteUser).toEqual({ __typename: 'DeletedPayload' });
      if (reset?.__typename !== 'ResetPasswordPayload') expect(reset).toEqual(invalidToken('NOT_FOUND'));
      expect(await stored(person)).toBeNull();
      expect(await service.app.db.mail.count({ where: { recipient: person.user.email } })).toBe(0);
    }));
});

describe('a request for a new password', () => {
  it(`at the same time as the deletion or revocation of the account leaves no link that works, ${ROUNDS} times`, () =>
    rounds(async (round) => {
      const person = await createPerson(service);
      const { id, email } = person.user;
      await Promise.all([
        requestReset(service, email),
        round % 2 === 0
          ? service.execute(DeleteUser, { id }, administrators)
          : service.execute(RevokeUser, { id }, administrators),
      ]);
      const open = { userId: id, consumedAt: null, revokedAt: null };
      expect(await service.app.db.oneTimeToken.count({ where: open })).toBe(0);
    }));

  it('is answered while the account’s row is locked by another one', async () => {
    const person = await forgetful(service);
    const other = await service.app.database.pool.connect();
    try {
      await other.query('BEGIN');
      await other.query('SELECT id FROM users WHERE id = $1 FOR UPDATE', [person.user.id]);
      const { data } = await service.execute(RequestReset, { email: person.user.email });
      expect(data?.requestPasswordReset).toEqual(accepted);
      await other.query('COMMIT');
    } finally {
      other.release();
    }
  });
});

/** What happens to the account or its link while the new password waits to be hashed, in SQL with the user's id. */
const changes = [
  {
    change: 'the account is revoked',
    sql: `UPDATE users SET status = 'REVOKED' WHERE id = $1`,
    answer: userInactive('REVOKED'),
  },
  {
    change: 'the address is changed',
    sql: `UPDATE users SET email = 'moved.' || email WHERE id = $1`,
    answer: invalidToken('REVOKED'),
  },
  {
    change: 'the link is killed',
    sql: 'UPDATE one_time_tokens SET revoked_at = now() WHERE user_id = $1',
    answer: invalidToken('REVOKED'),
  },
  {
    change: 'the link is used',
    sql: 'UPDATE one_time_tokens SET consumed_at = now() WHERE user_id = $1',
    answer: invalidToken('ALREADY_USED'),
  },
  { change: 'the account is deleted', sql: 'DELETE FROM users WHERE id = $1', answer: invalidToken('NOT_FOUND') },
];

describe('a reset in flight', () => {
  it.each(changes)(
    'changes nothing when $change while the new password waits to be hashed',
    async ({ sql, answer }) => {
      const person = await withSession();
      const gate = holdHashGate(service.app);
      const reset = resetPassword(service, person.token);
      await gate.somebodyWaits();
      await service.app.database.pool.query(sql, [person.user.id]);
      await gate.release();
      expect(await reset).toEqual(answer);
      const user = await stored(person);
      if (user !== null) {
        expect(user.passwordHash).toBe(person.user.passwordHash);
        expect(await liveSessionsOf(person)).toBe(1);
      }
      expect(await service.app.db.mail.count({ where: { userId: person.user.id, kind: 'password_reset_done' } })).toBe(
        0,
      );
    },
  );

  it('is too late when the link expires while the new password waits to be hashed', async () => {
    const person = await withLink();
    const gate = holdHashGate(service.app);
    const reset = resetPassword(service, person.token);
    await gate.somebodyWaits();
    service.clock.advanceSeconds(7200);
    await gate.release();
    expect(await reset).toEqual(invalidToken('EXPIRED'));
    expect((await stored(person))?.passwordHash).toBe(person.user.passwordHash);
  });
});
