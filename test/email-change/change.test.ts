import { v7 as newId } from 'uuid';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { linkIn, mailsTo, newestTokenTo } from '../mailbox/reading.ts';
import {
  accepted,
  ConfirmEmailChange,
  confirmEmailChange,
  emailTaken,
  invalidCredentials,
  invalidToken,
  logIn,
  RequestEmailChange,
  register,
  registrant,
  requestEmailChange,
  requestVerification,
  verifyEmail,
} from '../registration/operations.ts';
import { errorsOf, faultsOf, Me, unauthenticated } from '../sessions/operations.ts';
import { createPerson, type Person, signIn } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { asAdministrator, DeleteUser, RevokeUser, UpdateUser } from '../verification/operations.ts';

const TTL_SECONDS = 86_400;

let service: TestService;

beforeAll(async () => {
  service = await startTestService();
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

interface Changing extends Person {
  readonly email: string;
  readonly newEmail: string;
  readonly accessToken: string;
}

async function signedIn(options: Parameters<typeof createPerson>[1] = {}): Promise<Changing> {
  const person = await createPerson(service, options);
  const { email } = person.user;
  const { accessToken } = await signIn(service, { email, password: person.password });
  return { ...person, email, newEmail: `new-${email}`, accessToken };
}

function request({ accessToken, password, newEmail }: Changing, rest = {}) {
  return requestEmailChange(service, accessToken, { newEmail, currentPassword: password, ...rest });
}

/** Somebody who has been sent a link. */
async function requested(options: Parameters<typeof createPerson>[1] = {}): Promise<Changing & { token: string }> {
  const person = await signedIn(options);
  expect(await request(person)).toEqual(accepted);
  return { ...person, token: await newestTokenTo(service, person.newEmail) };
}

function changed({ user, newEmail }: Changing) {
  return { __typename: 'UserPayload', user: { id: user.id, email: newEmail, emailVerified: true, status: 'ACTIVE' } };
}

function rowOf({ user }: Person) {
  return service.app.db.user.findUniqueOrThrow({ where: { id: user.id } });
}

function eventsOf({ user }: Person, type: string) {
  return service.app.db.auditEvent.findMany({ where: { subjectId: user.id, type } });
}

describe('requestEmailChange', () => {
  it('changes nothing yet: the old address is the address, and signs in', async () => {
    const person = await requested();
    const before = await rowOf(person);
    expect(before).toMatchObject({ email: person.email, emailVerified: true });
    expect(await logIn(service, person.email, person.password)).toMatchObject({ user: { email: person.email } });
    expect(await logIn(service, person.newEmail, person.password)).toEqual(invalidCredentials);
    await requestVerification(service, person.newEmail);
    expect(await mailsTo(service, person.newEmail)).toHaveLength(1);
  });

  it('sends the new address a link, and the old one a notice without any', async () => {
    const person = await requested();
    const [confirmation, ...others] = await mailsTo(service, person.newEmail);
    const [notice, ...more] = await mailsTo(service, person.email);
    expect([...others, ...more]).toEqual([]);
    expect(confirmation?.subject).toBe('Please confirm your new e-mail address');
    expect(confirmation && linkIn(confirmation).pathname).toBe('/confirm-email');
    expect(notice?.subject).toBe('Your e-mail address is about to change');
    expect(notice?.text).not.toMatch(/https?:|new-/);
  });

  it('is on record with the new address', async () => {
    const person = await requested();
    expect(await eventsOf(person, 'email.change_requested')).toEqual([
      expect.objectContaining({
        at: service.clock.now(),
        actorId: person.user.id,
        email: person.email,
        ipAddress: '127.0.0.1',
        data: { newEmail: person.newEmail },
      }),
    ]);
  });

  it('sends to the canonical form of what was typed', async () => {
    const person = await signedIn();
    await request(person, { newEmail: ' Moved@BÜCHER.example ' });
    const token = await newestTokenTo(service, 'moved@xn--bcher-kva.example');
    expect(await confirmEmailChange(service, token)).toMatchObject({ user: { email: 'moved@xn--bcher-kva.example' } });
  });

  it('answers for a taken address as for a free one, and sends the same mails', async () => {
    const other = await createPerson(service);
    const person = await signedIn();
    expect(await request(person, { newEmail: other.user.email })).toEqual(accepted);
    expect(await request(person)).toEqual(accepted);
    const [toOther] = await mailsTo(service, other.user.email);
    const [toNew] = await mailsTo(service, person.newEmail);
    const withoutLink = (text = '') => text.replace(/^http.*$/m, '');
    expect(withoutLink(toOther?.text)).toBe(withoutLink(toNew?.text));
    expect(await mailsTo(service, person.email)).toHaveLength(2);
  });

  it('refuses a wrong password, which is on record, and owes nobody anything', async () => {
    const person = await signedIn();
    expect(await request(person, { currentPassword: 'not the password of anybody' })).toEqual(invalidCredentials);
    expect(await mailsTo(service, person.newEmail)).toEqual([]);
    expect(await mailsTo(service, person.email)).toEqual([]);
    expect(await eventsOf(person, 'password.refused')).toEqual([
      expect.objectContaining({ actorId: person.user.id, email: person.email, ipAddress: '127.0.0.1', data: {} }),
    ]);
    expect(await eventsOf(person, 'email.change_requested')).toEqual([]);
  });

  it.each([
    ['empty', ''],
    ['of 257 code points', 'x'.repeat(257)],
    ['with half a character', 'seventeen little goats\ud83d'],
    ['of 90,000 characters', 'x'.repeat(90_000)],
  ])('refuses a password that is %s', async (_case, currentPassword) => {
    const person = await signedIn();
    expect(await request(person, { currentPassword })).toEqual(invalidCredentials);
    expect(await mailsTo(service, person.newEmail)).toEqual([]);
  });

  it('refuses whoever has no password any more', async () => {
    const person = await signedIn();
    await service.app.db.user.update({ where: { id: person.user.id }, data: { passwordHash: null } });
    expect(await request(person)).toEqual(invalidCredentials);
    expect(await mailsTo(service, person.newEmail)).toEqual([]);
  });

  it.each([
    ['its own address', (email: string) => email, 'UNCHANGED'],
    ['its own address in another form', (email: string) => ` ${email.toUpperCase()}`, 'UNCHANGED'],
    ['what is no address', () => 'emmy', 'INVALID_EMAIL'],
    ['nothing', () => '', 'INVALID_EMAIL'],
    ['a header', () => 'a@latchkey.test\r\nBcc: b@latchkey.test', 'INVALID_EMAIL'],
    ['a NUL', () => 'a\0@latchkey.test', 'INVALID_EMAIL'],
    ['90,000 characters', () => `${'a'.repeat(90_000)}@latchkey.test`, 'INVALID_EMAIL'],
  ])('refuses %s as a new address', async (_case, newEmailFor, code) => {
    const person = await signedIn();
    expect(await request(person, { newEmail: newEmailFor(person.email) })).toEqual({
      __typename: 'ValidationError',
      code: 'VALIDATION_FAILED',
      message: 'The input is not valid.',
      fields: [{ path: ['input', 'newEmail'], code, message: expect.any(String) }],
    });
    expect(await mailsTo(service, person.email)).toEqual([]);
  });

  it('is for the signed-in only', async () => {
    const input = { newEmail: 'anybody@latchkey.test', currentPassword: 'seventeen little goats' };
    for (const accessToken of [undefined, 'garbage']) {
      const answer = await service.execute(RequestEmailChange, { input }, { accessToken });
      expect(answer.data).toEqual({ requestEmailChange: null });
      expect(errorsOf(answer)).toEqual([unauthenticated('requestEmailChange')]);
    }
    expect(await mailsTo(service, input.newEmail)).toEqual([]);
  });
});

describe('confirmEmailChange', () => {
  it('makes the new address the one that signs in, proven, and the old one nobody’s', async () => {
    const person = await requested();
    expect(await confirmEmailChange(service, person.token)).toEqual(changed(person));
    expect(await logIn(service, person.newEmail, person.password)).toMatchObject({ user: { id: person.user.id } });
    expect(await logIn(service, person.email, person.password)).toEqual(invalidCredentials);
    await register(service, registrant(person.email));
    expect(await verifyEmail(service, await newestTokenTo(service, person.email))).toMatchObject({
      email: person.email,
    });
  });

  it('leaves the sessions open, which show the new address at once', async () => {
    const person = await requested();
    await confirmEmailChange(service, person.token);
    const { data } = await service.execute(Me, {}, { accessToken: person.accessToken });
    expect(data?.me).toMatchObject({ email: person.newEmail, emailVerified: true });
  });

  it('is on record with the old address', async () => {
    const person = await requested();
    await service.execute(ConfirmEmailChange, { token: person.token }, { headers: { 'user-agent': 'a browser' } });
    expect(await eventsOf(person, 'email.changed')).toEqual([
      expect.objectContaining({
        at: service.clock.now(),
        actorId: person.user.id,
        email: person.newEmail,
        ipAddress: '127.0.0.1',
        userAgent: 'a browser',
        requestId: expect.any(String),
        data: { previousEmail: person.email },
      }),
    ]);
  });

  it('changes nothing when it cannot be put on record, and the token stays good', async () => {
    const person = await requested();
    const { pool } = service.app.database;
    const failing = await startTestService({ database: service });
    await pool.query(`ALTER TABLE audit_events ADD CONSTRAINT full_up CHECK (type <> 'email.changed') NOT VALID`);
    try {
      const { errors } = await failing.execute(ConfirmEmailChange, { token: person.token });
      expect(errors.map(({ extensions }) => extensions?.code)).toEqual(['INTERNAL_SERVER_ERROR']);
    } finally {
      await pool.query('ALTER TABLE audit_events DROP CONSTRAINT full_up');
      await failing.close();
    }
    expect(await rowOf(person)).toMatchObject({ email: person.email });
    expect(await confirmEmailChange(service, person.token)).toEqual(changed(person));
  });

  it('says only now that somebody else has the address, and the token is still good when it is free', async () => {
    const other = await createPerson(service);
    const person = await signedIn();
    await request(person, { newEmail: other.user.email.toUpperCase() });
    const token = await newestTokenTo(service, other.user.email);
    for (let attempt = 1; attempt <= 2; attempt += 1) {
      expect(await confirmEmailChange(service, token)).toEqual(emailTaken);
    }
    expect(await rowOf(person)).toMatchObject({ email: person.email });
    expect(await eventsOf(person, 'email.changed')).toEqual([]);

    await service.execute(DeleteUser, { id: other.user.id }, await asAdministrator(service));
    expect(await confirmEmailChange(service, token)).toEqual(changed({ ...person, newEmail: other.user.email }));
  });

  it('takes a token once', async () => {
    const person = await requested();
    await confirmEmailChange(service, person.token);
    expect(await confirmEmailChange(service, person.token)).toEqual(invalidToken('ALREADY_USED'));
  });

  it('takes a token until its last second, and not after', async () => {
    const [early, late] = [await requested(), await requested()];
    service.clock.advanceSeconds(TTL_SECONDS - 1);
    expect(await confirmEmailChange(service, early.token)).toEqual(changed(early));
    service.clock.advanceSeconds(1);
    expect(await confirmEmailChange(service, late.token)).toEqual(invalidToken('EXPIRED'));
    expect(await rowOf(late)).toMatchObject({ email: late.email });
  });

  it('refuses a token once a newer one was sent, to the same address or to another', async () => {
    const person = await requested();
    await request(person);
    const newer = await newestTokenTo(service, person.newEmail);
    expect(await confirmEmailChange(service, person.token)).toEqual(invalidToken('REVOKED'));
    await request(person, { newEmail: `other-${person.newEmail}` });
    expect(await confirmEmailChange(service, newer)).toEqual(invalidToken('REVOKED'));
    expect(await confirmEmailChange(service, await newestTokenTo(service, `other-${person.newEmail}`))).toMatchObject({
      user: { email: `other-${person.newEmail}` },
    });
  });

  it('refuses the token of a revoked account, and still when it is active again', async () => {
    const person = await requested();
    await service.execute(RevokeUser, { id: person.user.id }, await asAdministrator(service));
    expect(await confirmEmailChange(service, person.token)).toEqual(invalidToken('REVOKED'));
    await service.app.db.user.update({ where: { id: person.user.id }, data: { status: 'ACTIVE' } });
    expect(await confirmEmailChange(service, person.token)).toEqual(invalidToken('REVOKED'));
    expect(await rowOf(person)).toMatchObject({ email: person.email });
  });

  it('refuses the token of a revoked account in whichever way it was revoked', async () => {
    const person = await requested();
    await service.app.db.user.update({ where: { id: person.user.id }, data: { status: 'REVOKED' } });
    expect(await confirmEmailChange(service, person.token)).toEqual(invalidToken('REVOKED'));
    expect(await rowOf(person)).toMatchObject({ email: person.email });
  });

  it('refuses a token once an administrator has given the account another address', async () => {
    const person = await requested();
    const email = `moved-${person.email}`;
    await service.execute(UpdateUser, { input: { id: person.user.id, email } }, await asAdministrator(service));
    expect(await confirmEmailChange(service, person.token)).toEqual(invalidToken('REVOKED'));
    expect(await rowOf(person)).toMatchObject({ email });
  });

  it('finds nothing for the token of a deleted account', async () => {
    const person = await requested();
    await service.execute(DeleteUser, { id: person.user.id }, await asAdministrator(service));
    expect(await confirmEmailChange(service, person.token)).toEqual(invalidToken('NOT_FOUND'));
  });

  it('needs nobody to be signed in, and shows whoever holds the token nothing that is for administrators', async () => {
    const person = await requested();
    const query = `mutation ($token: String!) {
      confirmEmailChange(input: { token: $token }) { ... on UserPayload { user { email remark sessions { id } } } }
    }`;
    const response = await fetch(`${service.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables: { token: person.token } }),
    });
    expect(await response.json()).toEqual({
      data: { confirmEmailChange: { user: { email: person.newEmail, remark: null, sessions: null } } },
      errors: [
        expect.objectContaining({ path: ['confirmEmailChange', 'user', 'remark'] }),
        expect.objectContaining({ path: ['confirmEmailChange', 'user', 'sessions'] }),
      ],
    });
  });
});

describe('after a change of address', () => {
  it('a link that would have proven the old one is dead', async () => {
    const optional = await startTestService({ database: service, environment: { EMAIL_VERIFICATION: 'optional' } });
    try {
      const email = `${newId()}@latchkey.test`;
      await register(optional, registrant(email));
      const verification = await newestTokenTo(optional, email);
      const { accessToken } = await signIn(optional, registrant(email));
      const newEmail = `new-${email}`;
      await requestEmailChange(optional, accessToken, { newEmail, currentPassword: registrant(email).password });
      // The new address is proven, although the old one never was.
      expect(await confirmEmailChange(optional, await newestTokenTo(optional, newEmail))).toMatchObject({
        user: { email: newEmail, emailVerified: true },
      });

      const open = { user: { email: newEmail }, consumedAt: null, revokedAt: null };
      expect(await service.app.db.oneTimeToken.count({ where: open })).toBe(0);
      expect(await verifyEmail(optional, verification)).toEqual(invalidToken('REVOKED'));
      // Nor does it help whoever registers the old address next.
      await register(optional, registrant(email));
      expect(await verifyEmail(optional, verification)).toEqual(invalidToken('REVOKED'));
      const next = await service.app.db.user.findUniqueOrThrow({ where: { email } });
      expect(next.emailVerified).toBe(false);
    } finally {
      await optional.close();
    }
  });
});
