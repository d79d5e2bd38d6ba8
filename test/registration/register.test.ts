import { print } from 'graphql';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { linkIn, mailsTo, newestTokenTo } from '../mailbox/reading.ts';
import { faultsOf } from '../sessions/operations.ts';
import { createPerson } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { emailTaken, logIn, PASSWORD, Register, register, registrant, registrationClosed } from './operations.ts';

let service: TestService;

beforeAll(async () => {
  service = await startTestService();
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

function accepted(email: string) {
  return { __typename: 'RegisterUserPayload', email, verificationRequired: true, activationRequired: false };
}

/** All that is kept of an address, besides its mails. */
async function everythingOf(email: string) {
  const { db } = service.app;
  return {
    user: await db.user.findUnique({ where: { email }, include: { roles: true } }),
    tokens: await db.oneTimeToken.findMany({ where: { email }, orderBy: { id: 'asc' } }),
    sessions: await db.session.findMany({ where: { user: { email } } }),
  };
}

function eventsOf(email: string) {
  return service.app.db.auditEvent.findMany({ where: { email }, orderBy: { id: 'asc' } });
}

/** The answer as it comes over the wire. */
async function rawAnswer(email: string, on: TestService = service): Promise<{ head: unknown; body: string }> {
  const response = await fetch(`${on.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-request-id': 'the-same' },
    body: JSON.stringify({ query: print(Register), variables: { input: registrant(email) } }),
  });
  const headers = [...response.headers].filter(([name]) => name !== 'date');
  return { head: [response.status, headers], body: await response.text() };
}

describe('registerUser', () => {
  it('makes an account with the role user and no other power, whose address is still to be proven', async () => {
    const email = 'sofja@latchkey.test';
    expect(await register(service, registrant(' Sofja@LATCHKEY.test '))).toEqual(accepted(email));

    const { user, sessions } = await everythingOf(email);
    expect(user).toMatchObject({
      firstName: 'Sofja',
      lastName: 'Kowalewskaja',
      status: 'ACTIVE',
      emailVerified: false,
      remark: null,
      lastLoginAt: null,
      createdAt: service.clock.now(),
      updatedAt: service.clock.now(),
    });
    const roles = await service.app.db.role.findMany({ where: { users: { some: { userId: user?.id ?? '' } } } });
    expect(roles.map(({ name }) => name)).toEqual(['user']);
    expect(sessions).toEqual([]);
    expect(await logIn(service, email)).toEqual({
      __typename: 'EmailNotVerifiedError',
      code: 'EMAIL_NOT_VERIFIED',
      message: 'The e-mail address has to be verified first.',
    });
  });

  it('sends the new address a link that proves it', async () => {
    const email = 'link@latchkey.test';
    await register(service, registrant(email));
    const [mail, ...others] = await mailsTo(service, email);
    expect(others).toEqual([]);
    expect(mail).toMatchObject({ subject: 'Please confirm your e-mail address' });
    const link = mail && linkIn(mail);
    expect(link?.origin).toBe(service.app.issuer.url);
    expect(link?.pathname).toBe('/verify-email');
  });

  it('is on record, with the client and the new user as the one who did it', async () => {
    const email = 'record@latchkey.test';
    await register(service, registrant(email), { headers: { 'user-agent': 'a browser' } });
    const { user } = await everythingOf(email);
    expect(await eventsOf(email)).toEqual([
      expect.objectContaining({
        type: 'user.registered',
        at: service.clock.now(),
        actorId: user?.id,
        subjectId: user?.id,
        ipAddress: '127.0.0.1',
        userAgent: 'a browser',
        requestId: expect.any(String),
        data: { status: 'ACTIVE' },
      }),
    ]);
  });

  it('answers for a taken address, byte for byte, as for a free one', async () => {
    await createPerson(service, { email: 'aaaa@latchkey.test' });
    await createPerson(service, { email: 'bbbb@latchkey.test', status: 'REVOKED' });
    await createPerson(service, { email: 'cccc@latchkey.test', status: 'PENDING', emailVerified: false });
    await register(service, registrant('dddd@latchkey.test'));
    const free = await rawAnswer('free@latchkey.test');
    expect(JSON.parse(free.body)).toEqual({ data: { registerUser: accepted('free@latchkey.test') } });
    for (const name of ['aaaa', 'bbbb', 'cccc', 'dddd', 'free']) {
      const { head, body } = await rawAnswer(`${name}@latchkey.test`);
      expect(body.replaceAll(name, 'free')).toBe(free.body);
      expect(head).toEqual(free.head);
    }
  });

  it('changes nothing of a taken address, and tells its owner that somebody tried', async () => {
    const { user, password } = await createPerson(service, { email: 'taken@latchkey.test' });
    const before = await everythingOf(user.email);
    const stranger = registrant('TAKEN@latchkey.test', { password: 'eight maids a-milking there', firstName: 'Eve' });
    expect(await register(service, stranger)).toEqual(accepted(user.email));

    expect(await everythingOf(user.email)).toEqual(before);
    const [mail, ...others] = await mailsTo(service, user.email);
    expect(others).toEqual([]);
    expect(mail).toMatchObject({ subject: 'You already have an account' });
    expect(mail?.text).toMatch(/^Hello Emmy,\n/);
    expect(mail?.text).not.toMatch(/Eve|http/);
    expect(await logIn(service, user.email, stranger.password)).toMatchObject({ code: 'INVALID_CREDENTIALS' });
    expect(await logIn(service, user.email, password)).toMatchObject({ __typename: 'AuthPayload' });
  });

  it('puts on record that somebody tried to take an address, as done by nobody known to its owner', async () => {
    const { user } = await createPerson(service, { email: 'tried@latchkey.test' });
    await register(service, registrant(user.email), { headers: { 'user-agent': 'a robot' } });
    expect(await eventsOf(user.email)).toEqual([
      expect.objectContaining({
        type: 'registration.refused',
        at: service.clock.now(),
        actorId: null,
        subjectId: user.id,
        userAgent: 'a robot',
        requestId: expect.any(String),
        data: { reason: 'email_taken' },
      }),
    ]);
  });

  it('takes no second password for an address that nobody has proven yet, and sends it no second link', async () => {
    const email = 'squatted@latchkey.test';
    const strangers = registrant(email, { password: 'the password of a stranger', firstName: 'Eve' });
    await register(service, strangers);
    const before = await everythingOf(email);

    expect(await register(service, registrant(email))).toEqual(accepted(email));

    expect(await everythingOf(email)).toEqual(before);
    const [second, first] = await mailsTo(service, email);
    expect(first?.subject).toBe('Please confirm your e-mail address');
    expect(first?.text).toContain('If it was not you, leave the link alone: whoever asked has chosen the password.');
    expect(second?.subject).toBe('You already have an account');
    expect(second?.text).toContain('it makes the account yours alone');
    expect(second?.text).not.toContain('Eve');
    // Neither of them is in before the owner of the address has done something.
    expect(await logIn(service, email, strangers.password)).toMatchObject({ code: 'EMAIL_NOT_VERIFIED' });
    expect(await logIn(service, email)).toMatchObject({ code: 'INVALID_CREDENTIALS' });
  });

  it('takes forms of one address that differ in case, width or script of the domain for the same', async () => {
    const email = 'same@xn--bcher-kva.example';
    const forms = [
      'same@bücher.example',
      'SAME@BÜCHER.EXAMPLE',
      'ｓａｍｅ@bücher。example',
      ' same@xn--BCHER-kva.example\n',
    ];
    for (const form of forms) expect(await register(service, registrant(form))).toEqual(accepted(email));
    expect(await service.app.db.user.count({ where: { email: { contains: 'same@' } } })).toBe(1);
    expect(await newestTokenTo(service, email)).not.toBe('');
  });

  it('hashes the password as it is kept, never the password itself', async () => {
    await register(service, registrant('hash@latchkey.test'));
    const { user } = await everythingOf('hash@latchkey.test');
    expect(user?.passwordHash).toMatch(/^\$argon2id\$/);
    expect(user?.passwordHash).not.toContain(PASSWORD);
  });
});

describe('registerUser refuses', () => {
  it.each([
    ['role', 'admin'],
    ['roles', ['admin']],
    ['roleIds', ['019aab12-3456-7abc-8def-0123456789ab']],
    ['status', 'ACTIVE'],
    ['emailVerified', true],
    ['remark', 'trusted'],
    ['permissions', ['USERS_WRITE']],
    ['id', '019aab12-3456-7abc-8def-0123456789ab'],
    ['passwordHash', '$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo'],
  ])('an input that would set %s, and makes nobody', async (field, value) => {
    const email = `${field.toLowerCase()}@latchkey.test`;
    const { data, errors } = await service.execute(Register, { input: { ...registrant(email), [field]: value } });
    expect(data).toBeUndefined();
    expect(errors.map(({ extensions }) => extensions?.code)).toEqual(['BAD_USER_INPUT']);
    expect(await everythingOf(email)).toEqual({ user: null, tokens: [], sessions: [] });
  });

  it.each([
    ['an address without a domain', { email: 'sofja' }, 'email', 'INVALID_EMAIL'],
    ['two addresses', { email: 'a@latchkey.test,b@latchkey.test' }, 'email', 'INVALID_EMAIL'],
    ['an address with a NUL', { email: 'a\0@latchkey.test' }, 'email', 'INVALID_EMAIL'],
    ['a header in the address', { email: 'a@latchkey.test\r\nBcc: b@latchkey.test' }, 'email', 'INVALID_EMAIL'],
    ['an address of 90,000 characters', { email: `${'a'.repeat(90_000)}@latchkey.test` }, 'email', 'INVALID_EMAIL'],
    ['an empty first name', { firstName: ' ' }, 'firstName', 'REQUIRED'],
    ['a line break in a name', { lastName: 'Kowa\r\nBcc: eve@latchkey.test' }, 'lastName', 'INVALID_CHARACTERS'],
    ['a separator of lines in a name', { lastName: 'Kowa\u2028lewskaja' }, 'lastName', 'INVALID_CHARACTERS'],
    ['a separator of paragraphs in a name', { lastName: 'Kowa\u2029lewskaja' }, 'lastName', 'INVALID_CHARACTERS'],
    ['a NUL in a name', { firstName: 'So\0fja' }, 'firstName', 'INVALID_CHARACTERS'],
    ['half a character in a name', { firstName: 'Sofja\ud83d' }, 'firstName', 'INVALID_CHARACTERS'],
    ['a name of 101 characters', { firstName: 'x'.repeat(101) }, 'firstName', 'TOO_LONG'],
    ['a name of 10,000 characters', { firstName: 'x'.repeat(10_000) }, 'firstName', 'TOO_LONG'],
    ['a password of 14 code points', { password: 'x7#kQ9!mZ2&pL4' }, 'password', 'TOO_SHORT'],
    ['a password of 257 code points', { password: 'x7#kQ9!m'.repeat(33) }, 'password', 'TOO_LONG'],
    ['an empty password', { password: '' }, 'password', 'TOO_SHORT'],
  ])('%s, and makes nobody', async (_case, typed, field, code) => {
    const users = await service.app.db.user.count();
    expect(await register(service, registrant('refused@latchkey.test', typed))).toEqual({
      __typename: 'ValidationError',
      code: 'VALIDATION_FAILED',
      message: 'The input is not valid.',
      fields: [{ path: ['input', field], code, message: expect.any(String) }],
    });
    expect(await service.app.db.user.count()).toBe(users);
    expect(await mailsTo(service, 'refused@latchkey.test')).toEqual([]);
  });

  it('all that is wrong at once', async () => {
    const answer = await register(service, registrant('', { firstName: '', lastName: '\n' }));
    expect(answer).toMatchObject({
      fields: [
        { path: ['input', 'email'], code: 'INVALID_EMAIL' },
        { path: ['input', 'firstName'], code: 'REQUIRED' },
        { path: ['input', 'lastName'], code: 'REQUIRED' },
      ],
    });
  });

  it('to be asked twice in one operation', async () => {
    const response = await fetch(`${service.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        query: `mutation ($input: RegisterUserInput!) {
          a: registerUser(input: $input) { __typename } b: registerUser(input: $input) { __typename }
        }`,
        variables: { input: registrant('twice@latchkey.test') },
      }),
    });
    expect(await response.text()).toContain('GRAPHQL_VALIDATION_FAILED');
    expect(await everythingOf('twice@latchkey.test')).toMatchObject({ user: null });
  });
});

describe('registerUser as REGISTRATION and EMAIL_VERIFICATION say', () => {
  async function on(environment: Record<string, string>, test: (other: TestService) => Promise<void>) {
    const other = await startTestService({ database: service, environment });
    try {
      await test(other);
    } finally {
      await other.close();
    }
    expect(faultsOf(other)).toEqual([]);
  }

  it('closed: refuses everybody, and tells nobody whether an address has an account', () =>
    on({ REGISTRATION: 'closed' }, async (closed) => {
      const { user } = await createPerson(closed, { email: 'closed@latchkey.test' });
      const free = await rawAnswer('nobody@latchkey.test', closed);
      expect(JSON.parse(free.body)).toEqual({ data: { registerUser: registrationClosed } });
      expect((await rawAnswer(user.email, closed)).body).toBe(free.body);
      expect((await rawAnswer('no address at all', closed)).body).toBe(free.body);
      expect(await mailsTo(closed, user.email)).toEqual([]);
      expect(await everythingOf('nobody@latchkey.test')).toMatchObject({ user: null });
    }));

  it('approval: makes accounts that wait for an administrator, also once the address is proven', () =>
    on({ REGISTRATION: 'approval' }, async (approving) => {
      const email = 'pending@latchkey.test';
      const answer = { ...accepted(email), activationRequired: true };
      expect(await register(approving, registrant(email))).toEqual(answer);
      expect(await register(approving, registrant(email))).toEqual(answer);
      expect(await everythingOf(email)).toMatchObject({ user: { status: 'PENDING', emailVerified: false } });
      expect((await mailsTo(approving, email)).map(({ subject }) => subject)).toEqual([
        'You already have an account',
        'Please confirm your e-mail address',
      ]);
      await approving.app.db.user.update({ where: { email }, data: { emailVerified: true } });
      expect(await logIn(approving, email)).toEqual({
        __typename: 'UserInactiveError',
        code: 'USER_INACTIVE',
        message: 'The account waits for its activation.',
        status: 'PENDING',
      });
    }));

  it('verification optional: lets the new account in at once, and still asks for proof', () =>
    on({ EMAIL_VERIFICATION: 'optional' }, async (optional) => {
      const email = 'optional@latchkey.test';
      expect(await register(optional, registrant(email))).toEqual({ ...accepted(email), verificationRequired: false });
      expect(await logIn(optional, email)).toMatchObject({ user: { email, emailVerified: false } });
      expect(await mailsTo(optional, email)).toHaveLength(1);
    }));

  it('verification off: sends no mail, lets the new account in, and says when an address is taken', () =>
    on({ EMAIL_VERIFICATION: 'off' }, async (unverified) => {
      const email = 'off@latchkey.test';
      expect(await register(unverified, registrant(email))).toEqual({
        ...accepted(email),
        verificationRequired: false,
      });
      const before = await everythingOf(email);
      expect(await register(unverified, registrant('OFF@latchkey.test'))).toEqual(emailTaken);
      expect(await everythingOf(email)).toEqual(before);
      expect(before.tokens).toEqual([]);
      expect(await mailsTo(unverified, email)).toEqual([]);
      expect((await eventsOf(email)).map(({ type }) => type)).toEqual(['user.registered', 'registration.refused']);
      expect(await logIn(unverified, email)).toMatchObject({ user: { email } });
    }));
});
