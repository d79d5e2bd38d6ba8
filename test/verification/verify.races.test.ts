import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { oneTimeTokenOf } from '../../src/tokens/service.ts';
import { invalidToken, requestVerification, verifyEmail } from '../registration/operations.ts';
import { faultsOf } from '../sessions/operations.ts';
import { createPerson, type Person } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { asAdministrator, DeleteUser, RevokeUser, UpdateUser } from './operations.ts';

const ROUNDS = 20;

let service: TestService;
let administrators: { readonly accessToken: string };

beforeAll(async () => {
  service = await startTestService();
  administrators = await asAdministrator(service);
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

async function unproven(): Promise<Person & { readonly token: string }> {
  const person = await createPerson(service, { emailVerified: false });
  await requestVerification(service, person.user.email);
  return { ...person, token: await newestTokenOf(person) };
}

async function newestTokenOf({ user }: Person): Promise<string> {
  const { app } = service;
  const row = await app.db.oneTimeToken.findFirstOrThrow({ where: { userId: user.id }, orderBy: { id: 'desc' } });
  return oneTimeTokenOf(app, row);
}

function userOf({ user }: Person) {
  return service.app.db.user.findUnique({ where: { id: user.id } });
}

function proofsOf({ user }: Person): Promise<number> {
  return service.app.db.auditEvent.count({ where: { subjectId: user.id, type: 'email.verified' } });
}

/** What one did first. */
type Outcome = 'proven' | 'REVOKED' | 'NOT_FOUND';

async function outcomeOf(attempt: ReturnType<typeof verifyEmail>): Promise<Outcome> {
  const answer = await attempt;
  if (answer?.__typename === 'VerifyEmailPayload') return 'proven';
  if (answer?.__typename === 'InvalidTokenError' && answer.reason !== 'ALREADY_USED' && answer.reason !== 'EXPIRED') {
    return answer.reason;
  }
  throw new Error(JSON.stringify(answer));
}

describe('a verification token', () => {
  it(`works once of ten times at once, ${ROUNDS} times`, async () => {
    for (let round = 1; round <= ROUNDS; round += 1) {
      const person = await unproven();
      const answers = await Promise.all(Array.from({ length: 10 }, () => verifyEmail(service, person.token)));
      const won = answers.filter((answer) => answer?.__typename === 'VerifyEmailPayload');
      expect(won).toHaveLength(1);
      expect(answers.filter((answer) => answer?.__typename !== 'VerifyEmailPayload')).toEqual(
        Array(9).fill(invalidToken('ALREADY_USED')),
      );
      expect(await proofsOf(person)).toBe(1);
    }
  });

  it('and its successor do not both work', async () => {
    for (let round = 1; round <= ROUNDS; round += 1) {
      const person = await unproven();
      const [outcome] = await Promise.all([
        outcomeOf(verifyEmail(service, person.token)),
        requestVerification(service, person.user.email),
      ]);
      const newest = await newestTokenOf(person);
      if (outcome === 'proven') expect(newest).toBe(person.token);
      else expect(await verifyEmail(service, newest)).toMatchObject({ email: person.user.email });
      expect(await proofsOf(person)).toBe(1);
    }
  });

  it('proves nothing of an account after its revocation', async () => {
    for (let round = 1; round <= ROUNDS; round += 1) {
      const person = await unproven();
      const [outcome] = await Promise.all([
        outcomeOf(verifyEmail(service, person.token)),
        service.execute(RevokeUser, { id: person.user.id }, administrators),
      ]);
      expect(await userOf(person)).toMatchObject({ status: 'REVOKED', emailVerified: outcome === 'proven' });
      expect(await proofsOf(person)).toBe(outcome === 'proven' ? 1 : 0);
    }
  });

  it('does not prove an address that was not its own', async () => {
    for (let round = 1; round <= ROUNDS; round += 1) {
      const person = await unproven();
      const email = `moved.${person.user.email}`;
      const [outcome] = await Promise.all([
        outcomeOf(verifyEmail(service, person.token)),
        service.execute(UpdateUser, { input: { id: person.user.id, email } }, administrators),
      ]);
      expect(['proven', 'REVOKED']).toContain(outcome);
      expect(await userOf(person)).toMatchObject({ email, emailVerified: false });
    }
  });

  it('and the deletion of its account leave nothing behind', async () => {
    for (let round = 1; round <= ROUNDS; round += 1) {
      const person = await unproven();
      const [outcome] = await Promise.all([
        outcomeOf(verifyEmail(service, person.token)),
        service.execute(DeleteUser, { id: person.user.id }, administrators),
      ]);
      expect(['proven', 'NOT_FOUND']).toContain(outcome);
      expect(await userOf(person)).toBeNull();
      expect(await service.app.db.oneTimeToken.count({ where: { userId: person.user.id } })).toBe(0);
    }
  });
});
