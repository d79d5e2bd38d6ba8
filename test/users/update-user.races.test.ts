import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { faultsOf } from '../sessions/operations.ts';
import { someStatementWaits } from '../support/lock-waits.ts';
import { createPerson, type Person } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { emailTaken, UpdateUser } from './operations.ts';
import { createAdministrator, type Staff } from './staff.ts';

const ROUNDS = 25;

let service: TestService;
let administrators: readonly [Staff, Staff];

beforeAll(async () => {
  service = await startTestService();
  administrators = [await createAdministrator(service), await createAdministrator(service)];
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

async function move({ user }: Person, email: string, by: Staff) {
  const input = { id: user.id, email, emailVerified: true };
  const { data, errors } = await service.execute(UpdateUser, { input }, by.as);
  expect(errors).toEqual([]);
  return data?.updateUser;
}

async function emailOf({ user }: Person): Promise<string> {
  const { email } = await service.app.db.user.findUniqueOrThrow({ where: { id: user.id } });
  return email;
}

/** What is answered to both, who have locked what they act on before either goes on: they wait for the open links. */
async function bothHavingBegun<T>(people: readonly Person[], act: () => readonly Promise<T>[]): Promise<readonly T[]> {
  const now = service.app.now();
  await service.app.db.oneTimeToken.createMany({
    data: people.map(({ user: { id: userId, email } }) => ({
      purpose: 'EMAIL_VERIFICATION' as const,
      userId,
      email,
      createdAt: now,
      expiresAt: now,
    })),
  });
  const holder = await service.app.database.pool.connect();
  try {
    await holder.query('BEGIN');
    await holder.query('SELECT id FROM one_time_tokens WHERE user_id = ANY($1) FOR UPDATE', [
      people.map(({ user }) => user.id),
    ]);
    const answers = act();
    await someStatementWaits(service, people.length);
    await holder.query('COMMIT');
    return await Promise.all(answers);
  } finally {
    holder.release();
  }
}

describe('two administrators who at once', () => {
  it(`give each of two users the other’s address hear that it is taken, ${ROUNDS} times`, async () => {
    for (let round = 1; round <= ROUNDS; round += 1) {
      const [one, other] = [await createPerson(service), await createPerson(service)];
      const answers = await bothHavingBegun([one, other], () => [
        move(one, other.user.email, administrators[0]),
        move(other, one.user.email, administrators[1]),
      ]);
      expect(answers).toEqual([emailTaken, emailTaken]);
      expect([await emailOf(one), await emailOf(other)]).toEqual([one.user.email, other.user.email]);
    }
  });
});
