import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { permissions as allPermissions } from '../../src/auth/permissions.ts';
import { errorsOf, faultsOf } from '../sessions/operations.ts';
import { createPerson, type Person, signIn } from '../support/people.ts';
import { type Answer, startTestService, type TestService } from '../support/service.ts';
import { AssignRole, DeleteUser, lastAdministrator, RevokeRole, RevokeUser, UpdateUser } from './operations.ts';
import { createAdministrator, createStaff, everything, roleNamed, type Staff } from './staff.ts';

let service: TestService;

beforeAll(async () => {
  service = await startTestService();
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

interface Removal {
  readonly removal: string;
  readonly run: (on: TestService, actor: Staff, target: Person) => Promise<Answer<Record<string, unknown>>>;
}

const revocation: Removal = {
  removal: 'revoked',
  run: (on, { as }, { user }) => on.execute(RevokeUser, { input: { id: user.id } }, as),
};
const stripping: Removal = {
  removal: 'stripped of the role',
  run: async (on, { as }, { user }) => {
    const { id: roleId } = await roleNamed(on, 'admin');
    return on.execute(RevokeRole, { input: { userId: user.id, roleId } }, as);
  },
};
const deletion: Removal = {
  removal: 'deleted',
  run: (on, { as }, { user }) => on.execute(DeleteUser, { input: { id: user.id } }, as),
};
const unverification: Removal = {
  removal: 'unverified',
  run: (on, { as }, { user }) => on.execute(UpdateUser, { input: { id: user.id, emailVerified: false } }, as),
};
const move: Removal = {
  removal: 'moved to an address that is not verified',
  run: (on, { as }, { user }) => on.execute(UpdateUser, { input: { id: user.id, email: `x.${user.email}` } }, as),
};
const inCapitals: Removal = {
  removal: 'stripped of the role by its id in capitals',
  run: async (on, { as }, { user }) => {
    const { id } = await roleNamed(on, 'admin');
    return on.execute(RevokeRole, { input: { userId: user.id.toUpperCase(), roleId: id.toUpperCase() } }, as);
  },
};

const removals = [revocation, stripping, deletion, unverification, move, inCapitals];
const atOnce = [revocation, stripping, deletion, unverification];

/** These become the only administrators there are. */
async function becomeTheOnly(on: TestService, staff: readonly Staff[]): Promise<void> {
  await on.app.db.userRole.deleteMany({
    where: { role: { name: 'admin' }, userId: { notIn: staff.map(({ userId }) => userId) } },
  });
}

function resultOf({ data }: Answer<Record<string, unknown>>): unknown {
  return Object.values(data ?? {})[0];
}

const payload = { __typename: expect.stringMatching(/^(User|Deleted)Payload$/) };

describe('the last administrator', () => {
  let last: Staff;
  beforeEach(async () => {
    last = await createAdministrator(service);
    await becomeTheOnly(service, [last]);
  });

  it.each(removals)('is not $removal', async ({ run }) => {
    const before = await everything(service);
    expect(resultOf(await run(service, last, last))).toEqual(lastAdministrator);
    expect(await everything(service)).toEqual(before);
  });

  it.each<[string, () => Promise<unknown>]>([
    ['has been revoked', () => createPerson(service, { roles: ['admin'], status: 'REVOKED' })],
    ['waits for activation', () => createPerson(service, { roles: ['admin'], status: 'PENDING' })],
    ['has not proven the address', () => createPerson(service, { roles: ['admin'], emailVerified: false })],
    ['has no password', () => createPerson(service, { roles: ['admin'], password: null })],
    ['holds every permission without the role', () => createStaff(service, allPermissions)],
  ])('stays the last one beside somebody who %s', async (_case, makeOther) => {
    await makeOther();
    const before = await everything(service);
    for (const { run } of removals) expect(resultOf(await run(service, last, last))).toEqual(lastAdministrator);
    expect(await everything(service)).toEqual(before);
  });

  it('is not removed by somebody else who holds every permission', async () => {
    const deputy = await createStaff(service, allPermissions);
    for (const { run } of removals) expect(resultOf(await run(service, deputy, last))).toEqual(lastAdministrator);
  });

  it.each(removals)('may be $removal once there is another one', async ({ run }) => {
    const other = await createAdministrator(service);
    expect(resultOf(await run(service, other, last))).toMatchObject(payload);
  });

  it('may get a new address that is verified, new names, and be rid of another role', async () => {
    const { id } = last.user;
    const input = { id, email: `x.${last.user.email}`, emailVerified: true, firstName: 'Augusta' };
    const deputy = await createStaff(service, allPermissions);
    expect(resultOf(await service.execute(UpdateUser, { input }, deputy.as))).toMatchObject(payload);
    const { id: roleId } = await roleNamed(service, 'user');
    const answer = await service.execute(RevokeRole, { input: { userId: id, roleId } }, last.as);
    expect(resultOf(answer)).toMatchObject(payload);
  });
});

describe.each(['optional', 'off'])('with EMAIL_VERIFICATION=%s', (emailVerification) => {
  let relaxed: TestService;
  let last: Staff;
  beforeAll(async () => {
    relaxed = await startTestService({ environment: { EMAIL_VERIFICATION: emailVerification } });
  });
  beforeEach(async () => {
    last = await createAdministrator(relaxed);
    await becomeTheOnly(relaxed, [last]);
  });
  afterEach(() => expect(faultsOf(relaxed)).toEqual([]));
  afterAll(() => relaxed.close());

  it('the last administrator may be unverified, and nothing worse', async () => {
    const deputy = await createStaff(relaxed, allPermissions);
    for (const { run } of [unverification, move])
      expect(resultOf(await run(relaxed, deputy, last))).toMatchObject(payload);
    const { email } = await relaxed.app.db.user.findUniqueOrThrow({ where: { id: last.userId } });
    await signIn(relaxed, { email, password: last.password });
    for (const { run } of [revocation, stripping, deletion]) {
      expect(resultOf(await run(relaxed, last, last))).toEqual(lastAdministrator);
    }
  });

  it('somebody who is not verified is administrator enough', async () => {
    await createPerson(relaxed, { roles: ['admin'], emailVerified: false });
    expect(resultOf(await deletion.run(relaxed, last, last))).toMatchObject(payload);
  });
});

const ROUNDS = 20;

/** How many administrators can sign in. */
function administratorsLeft(): Promise<number> {
  return service.app.db.user.count({
    where: { status: 'ACTIVE', emailVerified: true, roles: { some: { role: { name: 'admin' } } } },
  });
}

/** What came of it: the type of a payload or an error, or the codes of a refusal. */
function outcomeOf(answer: Answer<Record<string, unknown>>): unknown {
  const result = resultOf(answer);
  if (typeof result === 'object' && result !== null && '__typename' in result) return result.__typename;
  return errorsOf(answer).map((error) => Object(error).extensions.code);
}

describe('two administrators at the same time', { timeout: 120_000 }, () => {
  async function twoAdministrators(): Promise<readonly [Staff, Staff]> {
    const pair = [await createAdministrator(service), await createAdministrator(service)] as const;
    await becomeTheOnly(service, pair);
    return pair;
  }

  it.each(atOnce)('each of whom wants the other to be $removal leave exactly one', async ({ run }) => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const [one, two] = await twoAdministrators();
      const outcomes = (await Promise.all([run(service, one, two), run(service, two, one)])).map(outcomeOf);
      expect(await administratorsLeft(), JSON.stringify(outcomes)).toBe(1);
      expect(outcomes.filter((outcome) => /^(User|Deleted)Payload$/.test(String(outcome)))).toHaveLength(1);
    }
  });

  it.each(atOnce)('each of whom wants to be $removal leave exactly one', async ({ run }) => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const [one, two] = await twoAdministrators();
      const outcomes = (await Promise.all([run(service, one, one), run(service, two, two)])).map(outcomeOf);
      expect(await administratorsLeft(), JSON.stringify(outcomes)).toBe(1);
      expect(outcomes).toContain('LastAdministratorError');
    }
  });

  it('who go for each other in every way leave exactly one', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const [one, two] = await twoAdministrators();
      const pairs = [
        [one, two],
        [two, one],
        [one, one],
        [two, two],
      ] as const;
      const answers = await Promise.all(
        removals.flatMap(({ run }) => pairs.map(([actor, target]) => run(service, actor, target))),
      );
      expect(await administratorsLeft(), JSON.stringify(answers.map(outcomeOf))).toBe(1);
    }
  });

  it('never leave none when one is made an administrator while another one goes', async () => {
    const { id: roleId } = await roleNamed(service, 'admin');
    for (let round = 0; round < ROUNDS; round += 1) {
      const [one, two] = await twoAdministrators();
      const held = { input: { userId: two.userId, roleId } };
      await service.execute(RevokeRole, held, one.as);
      await Promise.all([service.execute(AssignRole, held, one.as), deletion.run(service, one, one)]);
      expect(await administratorsLeft()).toBeGreaterThanOrEqual(1);
    }
  });
});

describe('two of three administrators at the same time', { timeout: 120_000 }, () => {
  it.each([revocation, stripping, deletion])(
    'each of whom wants the other to be $removal: who comes second has no longer the power to',
    async ({ run }) => {
      await createAdministrator(service);
      for (let round = 0; round < ROUNDS; round += 1) {
        const [one, two] = [await createAdministrator(service), await createAdministrator(service)];
        const outcomes = (await Promise.all([run(service, one, two), run(service, two, one)])).map(outcomeOf);
        expect(outcomes).toContainEqual(expect.stringMatching(/^(User|Deleted)Payload$/));
        expect(outcomes).toContainEqual([expect.stringMatching(/^(FORBIDDEN|UNAUTHENTICATED)$/)]);
      }
    },
  );
});
