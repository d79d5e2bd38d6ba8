import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { errorsOf, faultsOf, unauthenticated } from '../sessions/operations.ts';
import { holdHashGate } from '../support/hash-gate.ts';
import { createPerson } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { eventsOf, type Staff, signedIn } from '../users/staff.ts';
import { ChangePassword } from './operations.ts';

const NEW_PASSWORD = 'eleven purple walruses';

let service: TestService;

beforeAll(async () => {
  service = await startTestService();
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

/** The answer to who asks for another password, when this is done to the account while the hash waits. */
async function changeMeanwhile(person: Staff, currentPassword: string, sql: string) {
  const gate = holdHashGate(service.app);
  const input = { currentPassword, newPassword: NEW_PASSWORD };
  const change = service.execute(ChangePassword, { input }, person.as);
  await gate.somebodyWaits();
  await service.app.database.pool.query(sql, [person.userId]);
  await gate.release();
  return change;
}

const meanwhile = [
  ['the session is ended', 'UPDATE sessions SET revoked_at = created_at WHERE user_id = $1'],
  ['the account is revoked', `UPDATE users SET status = 'REVOKED' WHERE id = $1`],
  ['the account is deleted', 'DELETE FROM users WHERE id = $1'],
] as const;

describe('a change of the password in flight', () => {
  it.each(meanwhile)('changes nothing when %s meanwhile', async (_change, sql) => {
    const person = await signedIn(service, await createPerson(service));
    const answer = await changeMeanwhile(person, person.password, sql);
    expect(answer.data).toEqual({ changePassword: null });
    expect(errorsOf(answer)).toEqual([unauthenticated('changePassword')]);
    const after = await service.app.db.user.findUnique({ where: { id: person.userId } });
    expect(after?.passwordHash ?? person.user.passwordHash).toBe(person.user.passwordHash);
    expect(await eventsOf(service, 'password.changed')).toEqual([]);
  });

  it.each(meanwhile)('with a wrong password is refused, on record, when %s meanwhile', async (change, sql) => {
    const person = await signedIn(service, await createPerson(service));
    const answer = await changeMeanwhile(person, 'eighteen little goats', sql);
    expect(answer.data?.changePassword).toEqual({
      __typename: 'InvalidCredentialsError',
      code: 'INVALID_CREDENTIALS',
    });
    const known = change === 'the account is deleted' ? null : person.userId;
    expect((await eventsOf(service, 'password.refused')).at(-1)).toMatchObject({
      actorId: known,
      subjectId: known,
      email: person.user.email,
    });
  });

  it('is refused when the account is deleted while it waits for its turn', async () => {
    const person = await signedIn(service, await createPerson(service));
    const { hashGate, database } = service.app;
    const gate = holdHashGate(service.app);
    const ahead = hashGate.run(async () => {});
    const input = { currentPassword: person.password, newPassword: NEW_PASSWORD };
    const change = service.execute(ChangePassword, { input }, person.as);
    await vi.waitUntil(() => hashGate.queued === 2, { interval: 5, timeout: 20_000 });
    await database.pool.query('DELETE FROM users WHERE id = $1', [person.userId]);
    await gate.release();
    await ahead;
    expect((await change).data?.changePassword).toMatchObject({ __typename: 'InvalidCredentialsError' });
  });
});
