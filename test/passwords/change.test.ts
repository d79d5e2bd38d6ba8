import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { instantIn, issueOneTimeToken } from '../../src/tokens/service.ts';
import { graphql } from '../gql/gql.ts';
import { createPerson, type SignedInPerson, signIn } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { ChangePassword } from './operations.ts';

const ChangePasswordTwice = graphql(`
  mutation PasswordsChangeTwice($input: ChangePasswordInput!) {
    first: changePassword(input: $input) {
      __typename
    }
    second: changePassword(input: $input) {
      __typename
    }
  }
`);

const Login = graphql(`
  mutation PasswordsLogin($input: LoginInput!) {
    login(input: $input) {
      __typename
    }
  }
`);

const Me = graphql(`
  query PasswordsMe {
    me {
      email
    }
  }
`);

const oldPassword = 'seventeen little goats';
const newPassword = 'eleven purple walruses';

describe.each(['postgres', 'embedded'] as const)('changePassword on %s', (database) => {
  let service: TestService;
  beforeAll(async () => {
    service = await startTestService({ database });
  });
  afterAll(() => service.close());

  async function createSignedIn() {
    const { user } = await createPerson(service, { password: oldPassword });
    const session = await signIn(service, { email: user.email, password: oldPassword });
    return { user, session };
  }

  async function change(session: SignedInPerson, input: { currentPassword: string; newPassword: string }) {
    const { data, errors } = await service.execute(ChangePassword, { input }, session);
    expect(errors).toEqual([]);
    return data?.changePassword;
  }

  async function login(email: string, password: string) {
    const { data } = await service.execute(Login, { input: { email, password } });
    return data?.login?.__typename;
  }

  async function isSignedIn(session: SignedInPerson): Promise<boolean> {
    const { data } = await service.execute(Me, {}, session);
    return data?.me != null;
  }

  function storedUser(id: string) {
    return service.app.db.user.findUniqueOrThrow({ where: { id } });
  }

  it('makes the new password the only one and ends every other session', async () => {
    const { user, session } = await createSignedIn();
    const elsewhere = [
      await signIn(service, { email: user.email, password: oldPassword }),
      await signIn(service, { email: user.email, password: oldPassword }),
    ];
    const somebodyElse = await createSignedIn();

    expect(await change(session, { currentPassword: oldPassword, newPassword })).toEqual({
      __typename: 'ChangePasswordPayload',
      revokedSessions: 2,
    });

    expect(await Promise.all([session, ...elsewhere, somebodyElse.session].map(isSignedIn))).toEqual([
      true,
      false,
      false,
      true,
    ]);
    expect(await login(user.email, oldPassword)).toBe('InvalidCredentialsError');
    expect(await login(user.email, newPassword)).toBe('AuthPayload');
  });

  it('puts it on record, without a password in it, and owes a notice to the address', async () => {
    const { user, session } = await createSignedIn();
    await change(session, { currentPassword: oldPassword, newPassword });
    const events = await service.app.db.auditEvent.findMany({
      where: { subjectId: user.id, type: 'password.changed' },
    });
    expect(events).toEqual([
      expect.objectContaining({ actorId: user.id, email: user.email, data: { revokedSessions: 0 } }),
    ]);
    expect(JSON.stringify(events)).not.toContain(newPassword);
    const mails = await service.app.db.mail.findMany({ where: { userId: user.id } });
    expect(mails).toEqual([
      expect.objectContaining({ kind: 'password_changed', recipient: user.email, tokenId: null }),
    ]);
    expect(service.log.join('')).not.toContain(newPassword);
  });

  it('kills the links that were mailed before', async () => {
    const { user, session } = await createSignedIn();
    const { app } = service;
    const tokenId = await app.db.$transaction((transaction) =>
      issueOneTimeToken(
        app,
        transaction,
        { purpose: 'EMAIL_CHANGE', userId: user.id },
        { email: 'next@latchkey.test', expiresAt: instantIn(app, 3600) },
      ),
    );
    await change(session, { currentPassword: oldPassword, newPassword });
    const token = await app.db.oneTimeToken.findUniqueOrThrow({ where: { id: tokenId } });
    expect(token.revokedAt).toEqual(app.now());
  });

  it('refuses a wrong current password, puts that on record and changes nothing', async () => {
    const { user, session } = await createSignedIn();
    const elsewhere = await signIn(service, { email: user.email, password: oldPassword });
    const before = await storedUser(user.id);
    expect(await change(session, { currentPassword: 'eighteen little goats', newPassword })).toEqual({
      __typename: 'InvalidCredentialsError',
      code: 'INVALID_CREDENTIALS',
    });
    expect(await storedUser(user.id)).toEqual(before);
    expect(await isSignedIn(elsewhere)).toBe(true);
    const events = await service.app.db.auditEvent.findMany({
      where: { subjectId: user.id, type: { startsWith: 'password.' } },
    });
    expect(events.map(({ type }) => type)).toEqual(['password.refused']);
  });

  it.each([
    ['too short', 'eleven walrus', 'TOO_SHORT'],
    ['common', 'password123456789', 'TOO_COMMON'],
    ['made of the name', 'Emmy Noether 1882', 'CONTAINS_PERSONAL_DATA'],
    ['a pattern', 'walruswalruswalrus', 'REPEATED_PATTERN'],
  ])('refuses a new password that is %s and changes nothing', async (_, candidate, code) => {
    const { user, session } = await createSignedIn();
    expect(await change(session, { currentPassword: oldPassword, newPassword: candidate })).toEqual({
      __typename: 'ValidationError',
      code: 'VALIDATION_FAILED',
      fields: [{ path: ['input', 'newPassword'], code }],
    });
    expect(await login(user.email, oldPassword)).toBe('AuthPayload');
  });

  it('refuses a user without a password like a wrong one', async () => {
    const { user, session } = await createSignedIn();
    await service.app.db.user.update({ where: { id: user.id }, data: { passwordHash: null } });
    expect(await change(session, { currentPassword: oldPassword, newPassword })).toMatchObject({
      __typename: 'InvalidCredentialsError',
    });
    expect((await storedUser(user.id)).passwordHash).toBeNull();
  });

  it('refuses who is not signed in, and a session that has ended', async () => {
    const { user, session } = await createSignedIn();
    const elsewhere = await signIn(service, { email: user.email, password: oldPassword });
    await change(elsewhere, { currentPassword: oldPassword, newPassword });
    const input = { currentPassword: newPassword, newPassword: oldPassword };
    for (const accessToken of [undefined, session.accessToken]) {
      const { data, errors } = await service.execute(ChangePassword, { input }, { accessToken });
      expect(data).toEqual({ changePassword: null });
      expect(errors.map(({ extensions }) => extensions?.code)).toEqual(['UNAUTHENTICATED']);
    }
  });

  it('takes the new password as the same however its accents are typed', async () => {
    const { user, session } = await createSignedIn();
    await change(session, { currentPassword: oldPassword, newPassword: 'elf kra\u0308ftige Walrosse' });
    expect(await login(user.email, 'elf kr\u00e4ftige Walrosse')).toBe('AuthPayload');
  });

  it('is asked for once in an operation', async () => {
    const { user, session } = await createSignedIn();
    const input = { currentPassword: oldPassword, newPassword };
    const { data, errors } = await service.execute(ChangePasswordTwice, { input }, session);
    expect(data).toBeUndefined();
    expect(errors).toHaveLength(1);
    expect(await login(user.email, oldPassword)).toBe('AuthPayload');
  });

  it('lets one of two changes at once through, twenty times', async () => {
    const candidates = [newPassword, 'twelve orange walruses'];
    for (let round = 0; round < 20; round += 1) {
      const { user, session } = await createSignedIn();
      const sessions = [session, await signIn(service, { email: user.email, password: oldPassword })];
      const answers = await Promise.all(
        sessions.map((each, index) =>
          service.execute(
            ChangePassword,
            { input: { currentPassword: oldPassword, newPassword: candidates[index] ?? '' } },
            each,
          ),
        ),
      );
      const won = answers.map(({ data }) => data?.changePassword?.__typename === 'ChangePasswordPayload');
      expect(won.filter(Boolean)).toHaveLength(1);
      expect(await Promise.all(sessions.map(isSignedIn))).toEqual(won);
      const logins = await Promise.all(candidates.map((password) => login(user.email, password)));
      expect(logins.map((result) => result === 'AuthPayload')).toEqual(won);
    }
  });

  it('leaves no session behind of a login with the old password at the same time, twenty times', async () => {
    for (let round = 0; round < 20; round += 1) {
      const { user, session } = await createSignedIn();
      const [, answer] = await Promise.all([
        login(user.email, oldPassword),
        change(session, { currentPassword: oldPassword, newPassword }),
      ]);
      expect(answer?.__typename).toBe('ChangePasswordPayload');
      const live = await service.app.db.session.findMany({ where: { userId: user.id, revokedAt: null } });
      expect(live.map(({ id }) => id)).toEqual([session.sessionId]);
    }
  });
});

describe('changePassword with limits', () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startTestService({ environment: { RATE_LIMITING: 'on' } });
  });
  afterAll(() => service.close());

  it('counts a wrong current password like a wrong login, for both', async () => {
    const { user } = await createPerson(service, { password: oldPassword });
    const session = await signIn(service, { email: user.email, password: oldPassword });
    const change = async (currentPassword: string) => {
      const { data } = await service.execute(ChangePassword, { input: { currentPassword, newPassword } }, session);
      return data?.changePassword?.__typename;
    };
    for (let attempt = 0; attempt < 20; attempt += 1) {
      expect(await change(`wrong password number ${attempt}`)).toBe('InvalidCredentialsError');
    }
    expect(await change(oldPassword)).toBe('RateLimitedError');
    const { data } = await service.execute(Login, { input: { email: user.email, password: oldPassword } });
    expect(data?.login?.__typename).toBe('RateLimitedError');
  });
});
