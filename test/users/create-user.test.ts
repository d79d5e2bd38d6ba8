import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { CreateUserInput } from '../gql/graphql.ts';
import { errorsOf, faultsOf, forbidden, invalidCredentials, Login, tokensOf } from '../sessions/operations.ts';
import { fillHashGate } from '../support/hash-gate.ts';
import { createPerson } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { CreateUser, emailTaken, invalid, notFound, UNKNOWN_ID, UserById } from './operations.ts';
import {
  createAdministrator,
  createRoleRow,
  createStaff,
  eventsAbout,
  everything,
  roleNamed,
  type Staff,
} from './staff.ts';

const PASSWORD = 'nineteen little goats';

let service: TestService;
let admin: Staff;

beforeAll(async () => {
  service = await startTestService();
  admin = await createAdministrator(service);
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

let numbered = 0;

function inputWith(changes: Partial<CreateUserInput> = {}): CreateUserInput {
  numbered += 1;
  return { email: `new-${numbered}@latchkey.test`, firstName: 'Sonja', lastName: 'Kowalewskaja', ...changes };
}

async function create(input: CreateUserInput, by: Staff = admin) {
  const { data, errors } = await service.execute(CreateUser, { input }, by.as);
  expect(errors).toEqual([]);
  return data?.createUser;
}

async function created(input: CreateUserInput, by: Staff = admin) {
  const result = await create(input, by);
  if (result?.__typename !== 'UserPayload') throw new Error(`no user: ${JSON.stringify(result)}`);
  return result.user;
}

describe('createUser', () => {
  it('makes an active user with an unproven address and the role "user", who has no password', async () => {
    const input = inputWith();
    const now = service.clock.now().toISOString();
    expect(await create(input)).toEqual({
      __typename: 'UserPayload',
      user: {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        email: input.email,
        firstName: 'Sonja',
        lastName: 'Kowalewskaja',
        status: 'ACTIVE',
        emailVerified: false,
        roles: [{ name: 'user' }],
        permissions: [],
        lastLoginAt: null,
        createdAt: now,
        updatedAt: now,
      },
    });
    const login = await service.execute(Login, { input: { email: input.email, password: '' } });
    expect(login.data).toEqual({ login: invalidCredentials });
  });

  it('takes password, remark, status, verification and roles', async () => {
    const accountant = await createRoleRow(service, ['USERS_READ', 'AUDIT_READ'], 'accountant');
    const adminRole = await roleNamed(service, 'admin');
    const input = inputWith({
      password: PASSWORD,
      remark: ' plays the piano\nand chess ',
      status: 'PENDING',
      emailVerified: true,
      roleIds: [accountant.id, accountant.id, adminRole.id],
    });
    const user = await created(input);
    expect(user).toMatchObject({
      status: 'PENDING',
      emailVerified: true,
      roles: [{ name: 'accountant' }, { name: 'admin' }, { name: 'user' }],
    });
    const seen = await service.execute(UserById, { id: user.id }, admin.as);
    expect(seen.data?.user).toMatchObject({
      remark: 'plays the piano\nand chess',
      permissions: expect.arrayContaining(['ROLES_WRITE']),
    });
  });

  it('makes a user who signs in with the password at once, when the address is verified', async () => {
    const input = inputWith({ password: PASSWORD, emailVerified: true });
    const { id } = await created(input);
    const login = await service.execute(Login, { input: { email: input.email, password: PASSWORD } });
    expect(tokensOf(login).user.id).toBe(id);
  });

  it('keeps names and address in their canonical form', async () => {
    const user = await created(
      inputWith({ email: ' Ｓonja@BÜCHER.example ', firstName: ' So\u0301nja ', lastName: 'Kovalévsky' }),
    );
    expect(user).toMatchObject({ email: 'sonja@xn--bcher-kva.example', firstName: 'S\u00f3nja' });
  });

  it('is on record with who did it, for whom, from where, and without the password', async () => {
    const input = inputWith({ password: PASSWORD, remark: 'a secret remark', status: 'REVOKED' });
    const headers = { 'user-agent': 'people-test' };
    const { data } = await service.execute(CreateUser, { input }, { ...admin.as, headers });
    const user = data?.createUser?.__typename === 'UserPayload' ? data.createUser.user : null;
    const events = await eventsAbout(service, user?.id ?? '');
    expect(events).toEqual([
      {
        id: expect.any(String),
        type: 'user.created',
        at: service.clock.now(),
        actorId: admin.user.id,
        subjectId: user?.id,
        email: input.email,
        ipAddress: '127.0.0.1',
        userAgent: 'people-test',
        requestId: expect.any(String),
        data: { status: 'REVOKED', emailVerified: false, roles: [] },
      },
    ]);
    expect(JSON.stringify(events)).not.toMatch(/goats|argon2|secret remark/);
    expect(service.log.join()).not.toContain(PASSWORD);
  });

  it('takes null for what may be left out', async () => {
    const user = await created(inputWith({ password: null, remark: null, roleIds: null }));
    expect(user.roles).toEqual([{ name: 'user' }]);
  });

  it.each([
    ['another case', 'TAKEN@latchkey.test'],
    ['full width', 'ｔaken@latchkey.test'],
    ['white space around it', '\ttaken@latchkey.test '],
    ['a domain in full width', 'taken@ｌatchkey.test'],
  ])('refuses an address that is taken, written in %s', async (_form, email) => {
    await service.app.db.user.deleteMany({ where: { email: 'taken@latchkey.test' } });
    await createPerson(service, { email: 'taken@latchkey.test' });
    const before = await everything(service);
    expect(await create(inputWith({ email }))).toEqual(emailTaken);
    expect(await everything(service)).toEqual(before);
  });

  it.each<[string, Partial<CreateUserInput>, readonly (readonly [string, string])[]]>([
    ['no address', { email: '' }, [['input.email', 'INVALID_EMAIL']]],
    ['an address that cannot be mailed', { email: 'nobody@' }, [['input.email', 'INVALID_EMAIL']]],
    ['an address of 10 kB', { email: `${'x'.repeat(10_000)}@latchkey.test` }, [['input.email', 'INVALID_EMAIL']]],
    ['an address with a NUL', { email: 'a\0b@latchkey.test' }, [['input.email', 'INVALID_EMAIL']]],
    ['an address with a line break', { email: 'a@latchkey.test\nb' }, [['input.email', 'INVALID_EMAIL']]],
    [
      'no name',
      { firstName: '', lastName: '  ' },
      [
        ['input.firstName', 'REQUIRED'],
        ['input.lastName', 'REQUIRED'],
      ],
    ],
    ['a name of 101 characters', { firstName: '𝕩'.repeat(101) }, [['input.firstName', 'TOO_LONG']]],
    ['a name of 10 kB', { lastName: 'x'.repeat(10_000) }, [['input.lastName', 'TOO_LONG']]],
    ['a name with a NUL', { firstName: 'So\0nja' }, [['input.firstName', 'INVALID_CHARACTERS']]],
    ['a name with a line break', { firstName: 'Sonja\nBcc: all' }, [['input.firstName', 'INVALID_CHARACTERS']]],
    ['a name with a line separator', { lastName: 'Sonja\u2028K' }, [['input.lastName', 'INVALID_CHARACTERS']]],
    ['a name with a paragraph separator', { lastName: 'Sonja\u2029K' }, [['input.lastName', 'INVALID_CHARACTERS']]],
    ['a name with half a character', { lastName: 'K\ud800' }, [['input.lastName', 'INVALID_CHARACTERS']]],
    ['a remark of 2,001 characters', { remark: 'x'.repeat(2001) }, [['input.remark', 'TOO_LONG']]],
    ['a remark with a NUL', { remark: 'x\0' }, [['input.remark', 'INVALID_CHARACTERS']]],
    ['a password of 14 characters', { password: 'x'.repeat(14) }, [['input.password', 'TOO_SHORT']]],
    ['an empty password', { password: '' }, [['input.password', 'TOO_SHORT']]],
  ])('refuses %s and makes nobody', async (_case, changes, fields) => {
    const before = await everything(service);
    expect(await create(inputWith(changes))).toEqual(invalid(...fields));
    expect(await everything(service)).toEqual(before);
  });

  it('takes a name of 100 characters, each of which takes two places', async () => {
    const { firstName } = await created(inputWith({ firstName: '𝕩'.repeat(100) }));
    expect(firstName).toBe('𝕩'.repeat(100));
  });

  it.each([
    ['that does not exist', UNKNOWN_ID],
    ['with a forged id', "' OR 1=1 --"],
    ['with a NUL in its id', `${UNKNOWN_ID}\0`],
    ['without an id', ''],
  ])('refuses a role %s and makes nobody', async (_case, roleId) => {
    const { id } = await roleNamed(service, 'user');
    const before = await everything(service);
    expect(await create(inputWith({ roleIds: [id, roleId] }))).toEqual(notFound);
    expect(await everything(service)).toEqual(before);
  });

  it('knows a role by its id in capitals, twice', async () => {
    const { id } = await createRoleRow(service, ['USERS_READ'], 'capital');
    const user = await created(inputWith({ roleIds: [id.toUpperCase(), id] }));
    expect(user.roles).toEqual([{ name: 'capital' }, { name: 'user' }]);
  });

  it('gives 50 roles and refuses one more', async () => {
    const roles = await Promise.all(Array.from({ length: 50 }, () => createRoleRow(service, [])));
    const roleIds = roles.map(({ id }) => id);
    const before = await everything(service);
    // The role "user" is the 51st.
    expect(await create(inputWith({ roleIds }))).toEqual(invalid(['input.roleIds', 'TOO_MANY']));
    expect(await everything(service)).toEqual(before);
    expect((await created(inputWith({ roleIds: roleIds.slice(1) }))).roles).toHaveLength(50);
  });

  it('refuses to give a role with a permission that the caller does not hold', async () => {
    const staff = await createStaff(service, ['USERS_WRITE', 'USERS_READ']);
    const mine = await createRoleRow(service, ['USERS_READ']);
    const more = await createRoleRow(service, ['USERS_READ', 'AUDIT_READ']);
    const adminRole = await roleNamed(service, 'admin');
    expect((await created(inputWith({ roleIds: [mine.id] }), staff)).permissions).toEqual(['USERS_READ']);
    const before = await everything(service);
    for (const roleIds of [[more.id], [adminRole.id], [mine.id, more.id]]) {
      const answer = await service.execute(CreateUser, { input: inputWith({ roleIds }) }, staff.as);
      expect(answer.data).toEqual({ createUser: null });
      expect(errorsOf(answer)).toEqual([forbidden('createUser')]);
    }
    expect(await everything(service)).toEqual(before);
  });

  it('makes one user of fifty at the same time with one address', async () => {
    const input = inputWith();
    const forms = [input.email, input.email.toUpperCase(), ` ${input.email}`, `ｎ${input.email.slice(1)}`];
    const results = await Promise.all(
      Array.from({ length: 50 }, (_, index) => create({ ...input, email: forms[index % forms.length] ?? '' })),
    );
    expect(results.filter((result) => result?.__typename === 'UserPayload')).toHaveLength(1);
    expect(results.filter((result) => result?.__typename === 'EmailTakenError')).toHaveLength(49);
    const users = await service.app.db.user.findMany({ where: { email: input.email }, include: { roles: true } });
    expect(users.map(({ roles }) => roles.length)).toEqual([1]);
    const events = await service.app.db.auditEvent.count({ where: { type: 'user.created', email: input.email } });
    expect(events).toBe(1);
  });

  it('says when to come again while too many passwords wait to be hashed', async () => {
    const release = fillHashGate(service.app);
    try {
      expect(await create(inputWith({ password: PASSWORD }))).toEqual({
        __typename: 'RateLimitedError',
        code: 'RATE_LIMITED',
        message: 'Too many attempts. Try again later.',
      });
      expect(await created(inputWith())).toMatchObject({ status: 'ACTIVE' });
    } finally {
      await release();
    }
  });
});
