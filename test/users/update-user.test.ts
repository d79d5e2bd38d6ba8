import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { UpdateMeInput, UpdateUserInput } from '../gql/graphql.ts';
import { faultsOf, invalidCredentials, Login, Me, tokensOf } from '../sessions/operations.ts';
import { createPerson, type Person } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { emailTaken, invalid, notFound, UpdateMe, UpdateUser, unknownIds } from './operations.ts';
import { createAdministrator, eventsAbout, everything, type Staff, signedIn } from './staff.ts';

let service: TestService;
let admin: Staff;
let person: Person;

beforeAll(async () => {
  service = await startTestService();
  admin = await createAdministrator(service);
});
beforeEach(async () => {
  person = await createPerson(service);
  service.clock.advanceSeconds(60);
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

function rowOf({ user }: Person) {
  return service.app.db.user.findUniqueOrThrow({ where: { id: user.id } });
}

const badNames: readonly (readonly [string, string | null, string])[] = [
  ['null', null, 'REQUIRED'],
  ['nothing', '', 'REQUIRED'],
  ['white space', ' \u3000', 'REQUIRED'],
  ['101 characters', 'x'.repeat(101), 'TOO_LONG'],
  ['10 kB', 'x'.repeat(10_000), 'TOO_LONG'],
  ['a NUL', 'Em\0my', 'INVALID_CHARACTERS'],
  ['a line break', 'Em\r\nmy', 'INVALID_CHARACTERS'],
  ['half a character', 'Em\udc00my', 'INVALID_CHARACTERS'],
];

describe('updateUser', () => {
  async function update(input: Omit<UpdateUserInput, 'id'>, id = person.user.id) {
    const { data, errors } = await service.execute(UpdateUser, { input: { id, ...input } }, admin.as);
    expect(errors).toEqual([]);
    return data?.updateUser;
  }

  it('changes what is named and leaves alone what is not', async () => {
    const before = await rowOf(person);
    const now = service.clock.now();
    expect(await update({ lastName: 'Noether-Dick', remark: 'works on rings' })).toEqual({
      __typename: 'UserPayload',
      user: {
        id: person.user.id,
        email: person.user.email,
        firstName: 'Emmy',
        lastName: 'Noether-Dick',
        status: 'ACTIVE',
        emailVerified: true,
        updatedAt: now.toISOString(),
      },
    });
    expect(await rowOf(person)).toEqual({
      ...before,
      lastName: 'Noether-Dick',
      remark: 'works on rings',
      updatedAt: now,
    });
  });

  it.each<[string, Omit<UpdateUserInput, 'id'>]>([
    ['nothing is named', {}],
    ['everything is as it was', { firstName: ' Emmy ', lastName: 'Noether', remark: null, emailVerified: true }],
    ['the address is the present one in other letters', {}],
  ])('changes nothing and puts nothing on record when %s', async (_case, input) => {
    const before = await everything(service);
    const email = _case.includes('letters') ? { email: person.user.email.toUpperCase() } : {};
    expect(await update({ ...input, ...email })).toMatchObject({ __typename: 'UserPayload' });
    expect(await everything(service)).toEqual(before);
  });

  it('takes the remark away for null and for a blank one', async () => {
    for (const remark of [null, ' \n ']) {
      await update({ remark: 'works on rings' });
      await update({ remark });
      expect((await rowOf(person)).remark).toBeNull();
    }
  });

  it.each(['firstName', 'lastName', 'email', 'emailVerified'])('refuses null for %s', async (field) => {
    const before = await everything(service);
    expect(await update({ lastName: 'Kept', [field]: null })).toEqual(invalid([`input.${field}`, 'REQUIRED']));
    expect(await everything(service)).toEqual(before);
  });

  it.each(badNames)('refuses %s for a name', async (_case, name, code) => {
    const before = await everything(service);
    expect(await update({ firstName: name, lastName: name })).toEqual(
      invalid(['input.firstName', code], ['input.lastName', code]),
    );
    expect(await everything(service)).toEqual(before);
  });

  it('takes tabs and line breaks in a remark, those of Windows as LF', async () => {
    await update({ remark: 'works on rings\r\n\tand on ideals\nfrom G\u00f6ttingen\r\n' });
    expect((await rowOf(person)).remark).toBe('works on rings\n\tand on ideals\nfrom G\u00f6ttingen');
    const remark = 'x\r\n'.repeat(1000);
    expect(await update({ remark })).toMatchObject({ __typename: 'UserPayload' });
  });

  it.each(['a\0b', 'a\rb', 'a\u001b[2Jb', 'a\u007fb', 'a\u0085b', 'a\fb'])(
    'refuses %j for a remark',
    async (remark) => {
      const before = await everything(service);
      expect(await update({ remark })).toEqual(invalid(['input.remark', 'INVALID_CHARACTERS']));
      expect(await everything(service)).toEqual(before);
    },
  );

  it('refuses an address that cannot be mailed, and a remark that is too long, together', async () => {
    const before = await everything(service);
    expect(await update({ email: 'nobody', remark: 'x'.repeat(2001) })).toEqual(
      invalid(['input.email', 'INVALID_EMAIL'], ['input.remark', 'TOO_LONG']),
    );
    expect(await everything(service)).toEqual(before);
  });

  it.each(unknownIds)('finds nobody for %s', async (_case, id) => {
    const before = await everything(service);
    expect(await update({ firstName: 'Kept' }, id)).toEqual(notFound);
    expect(await everything(service)).toEqual(before);
  });

  it('is on record with the names of the fields, not with what is in them', async () => {
    await update({ firstName: 'Amalie', remark: 'a secret remark' });
    const events = await eventsAbout(service, person.user.id);
    expect(events).toEqual([
      {
        id: expect.any(String),
        type: 'user.updated',
        at: service.clock.now(),
        actorId: admin.user.id,
        subjectId: person.user.id,
        email: person.user.email,
        ipAddress: '127.0.0.1',
        userAgent: expect.any(String),
        requestId: expect.any(String),
        data: { fields: ['firstName', 'remark'] },
      },
    ]);
  });

  it('refuses an address of one’s own, which is changed with the password, and changes nothing', async () => {
    const before = await everything(service);
    const input = { id: admin.userId, email: `mine.${admin.user.email}`, emailVerified: true, firstName: 'Amalie' };
    const { data, errors } = await service.execute(UpdateUser, { input }, admin.as);
    expect(errors).toEqual([]);
    expect(data?.updateUser).toEqual(invalid(['input.email', 'OWN_ADDRESS']));
    expect(await everything(service)).toEqual(before);
  });

  it('unverifies a new address, which is how one signs in from then on', async () => {
    const email = `Moved.${person.user.email}`;
    expect(await update({ email })).toMatchObject({ user: { email: email.toLowerCase(), emailVerified: false } });
    const { password } = person;
    const login = (address: string) => service.execute(Login, { input: { email: address, password } });
    expect((await login(person.user.email)).data).toEqual({ login: invalidCredentials });
    expect((await login(email)).data?.login?.__typename).toBe('EmailNotVerifiedError');
    expect(await eventsAbout(service, person.user.id)).toMatchObject([
      {
        type: 'user.updated',
        email: email.toLowerCase(),
        data: { fields: ['email', 'emailVerified'], previousEmail: person.user.email },
      },
      { type: 'login.failed' },
    ]);
  });

  it.each<[string, () => Omit<UpdateUserInput, 'id'>, string[]]>([
    ['is taken back', () => ({ emailVerified: false }), ['emailVerified']],
    ['goes with a new address', () => ({ email: `moved.${person.user.email}` }), ['email', 'emailVerified']],
  ])('ends every session when the verification %s, on record', async (_change, input, fields) => {
    const sessions = [await signedIn(service, person), await signedIn(service, person)];
    await update(input());
    for (const { as } of sessions) expect((await service.execute(Me, {}, as)).data?.me).toBeNull();
    const events = (await eventsAbout(service, person.user.id)).filter(({ type }) => type !== 'login.succeeded');
    const { email } = await rowOf(person);
    expect(events).toMatchObject([
      { type: 'user.updated', email, data: { fields } },
      {
        type: 'session.revoked',
        actorId: admin.userId,
        email,
        data: { reason: 'email_unverified', revokedSessions: 2 },
      },
    ]);
  });

  it('ends no session when the new address is verified, nor for a name or a remark', async () => {
    const { as } = await signedIn(service, person);
    await update({ email: `moved.${person.user.email}`, emailVerified: true, firstName: 'Amalie', remark: 'moved' });
    expect((await service.execute(Me, {}, as)).data?.me?.firstName).toBe('Amalie');
  });

  it('ends no session where no verification is required', async () => {
    const optional = await startTestService({ environment: { EMAIL_VERIFICATION: 'optional' } });
    try {
      const administrators = await createAdministrator(optional);
      const { as, userId } = await signedIn(optional, await createPerson(optional));
      await optional.execute(UpdateUser, { input: { id: userId, emailVerified: false } }, administrators.as);
      expect((await optional.execute(Me, {}, as)).data?.me?.emailVerified).toBe(false);
    } finally {
      await optional.close();
    }
  });

  it('keeps a new address verified when that is said', async () => {
    const email = `moved.${person.user.email}`;
    expect(await update({ email, emailVerified: true })).toMatchObject({ user: { email, emailVerified: true } });
    const login = await service.execute(Login, { input: { email, password: person.password } });
    expect(tokensOf(login).user.id).toBe(person.user.id);
  });

  it('kills every link that was sent before the address or its verification changed, and no link for a name', async () => {
    const { db } = service.app;
    const later = new Date(service.clock.now().getTime() + 3_600_000);
    const link = () =>
      db.oneTimeToken.create({
        data: {
          purpose: 'EMAIL_CHANGE',
          userId: person.user.id,
          email: 'elsewhere@latchkey.test',
          createdAt: service.clock.now(),
          expiresAt: later,
        },
      });
    const revokedAt = async ({ id }: { id: string }) =>
      (await db.oneTimeToken.findUniqueOrThrow({ where: { id } })).revokedAt;

    const first = await link();
    await update({ firstName: 'Amalie', email: person.user.email, emailVerified: true });
    expect(await revokedAt(first)).toBeNull();
    await update({ emailVerified: false });
    expect(await revokedAt(first)).toEqual(service.clock.now());
    const second = await link();
    await update({ email: `moved.${person.user.email}` });
    expect(await revokedAt(second)).toEqual(service.clock.now());
  });

  it.each([
    ['as it is', (email: string) => email],
    ['in capitals', (email: string) => email.toUpperCase()],
    ['in full width', (email: string) => email.replaceAll('a', 'ａ')],
  ])('refuses the address of somebody else, written %s', async (_form, write) => {
    const other = await createPerson(service);
    const before = await everything(service);
    expect(await update({ email: write(other.user.email), firstName: 'Kept' })).toEqual(emailTaken);
    expect(await everything(service)).toEqual(before);
  });

  it('gives an address to one of fifty who are moved to it at the same time', async () => {
    const people = await Promise.all(Array.from({ length: 50 }, () => createPerson(service, { password: null })));
    const email = `wanted.${person.user.email}`;
    const results = await Promise.all(people.map(({ user }) => update({ email }, user.id)));
    expect(results.filter((result) => result?.__typename === 'UserPayload')).toHaveLength(1);
    expect(results.filter((result) => result?.__typename === 'EmailTakenError')).toHaveLength(49);
    expect(await service.app.db.user.count({ where: { email } })).toBe(1);
  });

  it('lets two administrators move each other at the same time', { timeout: 60_000 }, async () => {
    for (let round = 0; round < 20; round += 1) {
      const [one, two] = await Promise.all([createAdministrator(service), createAdministrator(service)]);
      const move = (mover: Staff, moved: Staff) => {
        const input = { id: moved.userId, email: `moved.${moved.user.email}`, emailVerified: true };
        return service.execute(UpdateUser, { input }, mover.as);
      };
      for (const { data } of await Promise.all([move(one, two), move(two, one)])) {
        expect(data?.updateUser?.__typename).toBe('UserPayload');
      }
    }
  });
});

describe('updateMe', () => {
  let me: Staff;

  beforeEach(async () => {
    me = await signedIn(service, person);
  });

  async function update(input: UpdateMeInput) {
    const { data, errors } = await service.execute(UpdateMe, { input }, me.as);
    expect(errors).toEqual([]);
    return data?.updateMe;
  }

  it('changes the name that is named and leaves the other alone', async () => {
    const before = await rowOf(me);
    const now = service.clock.now();
    expect(await update({ firstName: ' Ama\u0308lie ' })).toEqual({
      __typename: 'UserPayload',
      user: { id: me.userId, firstName: 'Am\u00e4lie', lastName: 'Noether', updatedAt: now.toISOString() },
    });
    expect(await rowOf(me)).toEqual({ ...before, firstName: 'Am\u00e4lie', updatedAt: now });
    expect((await service.execute(Me, {}, me.as)).data?.me?.firstName).toBe('Am\u00e4lie');
  });

  it('is on record as done by oneself', async () => {
    await update({ lastName: 'Dick' });
    expect((await eventsAbout(service, me.userId)).at(-1)).toMatchObject({
      type: 'user.updated',
      actorId: me.userId,
      subjectId: me.userId,
      email: me.user.email,
      ipAddress: '127.0.0.1',
      data: { fields: ['lastName'] },
    });
  });

  it.each<[string, UpdateMeInput]>([
    ['nothing is named', {}],
    ['the names are as they were', { firstName: 'Emmy ', lastName: 'Noether' }],
  ])('changes nothing and puts nothing on record when %s', async (_case, input) => {
    const before = await everything(service);
    expect(await update(input)).toMatchObject({ __typename: 'UserPayload' });
    expect(await everything(service)).toEqual(before);
  });

  it.each(badNames)('refuses %s for a name', async (_case, name, code) => {
    const before = await everything(service);
    expect(await update({ firstName: name, lastName: 'Kept' })).toEqual(invalid(['input.firstName', code]));
    expect(await everything(service)).toEqual(before);
  });

  it.each(['id', 'email', 'status', 'emailVerified', 'roleIds', 'remark'])('has no way to change %s', async (field) => {
    const before = await everything(service);
    // As a client writes it that does not know the schema.
    const input: UpdateMeInput = { firstName: 'Kept', ...{ [field]: 'x' } };
    const { data, errors } = await service.execute(UpdateMe, { input }, me.as);
    expect(data).toBeUndefined();
    expect(errors.map(({ extensions }) => extensions?.code)).toEqual(['BAD_USER_INPUT']);
    expect(await everything(service)).toEqual(before);
  });
});
