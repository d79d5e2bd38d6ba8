import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { errorsOf, faultsOf, forbidden, invalidCredentials, unauthenticated } from '../sessions/operations.ts';
import { createPerson, type SignedInPerson, signIn } from '../support/people.ts';
import { administrator, startTestService, type TestService } from '../support/service.ts';
import { createRoleRow } from '../users/staff.ts';
import { CLIENT_ID, type Issuer, startIssuer } from './issuer.ts';
import {
  DeleteSomebody,
  IdentitiesOf,
  invalidIdToken,
  LinkIdentity,
  LogInWithOAuth,
  MyIdentities,
  RevokeSomebody,
  signedInBy,
  UnlinkIdentity,
  UpdateSomebody,
} from './operations.ts';

const UNKNOWN_ID = '019aab12-3456-7abc-8def-0123456789ab';

let issuer: Issuer;
let other: Issuer;
let service: TestService;

beforeAll(async () => {
  const now = () => service.clock.now();
  [issuer, other] = await Promise.all([startIssuer(now), startIssuer(now)]);
  const audience = [CLIENT_ID];
  service = await startTestService({
    environment: {
      OAUTH_PROVIDERS: JSON.stringify([
        { name: 'example', issuer: issuer.url, audience, autoCreate: true },
        { name: 'other', issuer: other.url, audience },
      ]),
    },
  });
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => Promise.all([service?.close(), issuer?.close(), other?.close()]));

interface Member extends SignedInPerson {
  readonly email: string;
  readonly password: string;
}

/** Signed in by password a moment ago. */
async function newMember(): Promise<Member> {
  const { user, password } = await createPerson(service);
  return { ...(await signIn(service, { email: user.email, password })), email: user.email, password };
}

async function link(
  { accessToken }: { readonly accessToken?: string },
  claims: Readonly<Record<string, unknown>> = {},
  rest: { readonly currentPassword?: string; readonly provider?: string; readonly nonce?: string } = {},
) {
  const idToken = await (rest.provider === 'other' ? other : issuer).idToken(claims);
  const answer = await service.execute(
    LinkIdentity,
    { input: { provider: 'example', idToken, ...rest } },
    { accessToken },
  );
  return answer.data?.linkIdentity;
}

async function unlink({ accessToken }: { readonly accessToken: string }, id: string, currentPassword?: string) {
  const answer = await service.execute(UnlinkIdentity, { input: { id, currentPassword } }, { accessToken });
  return answer.data?.unlinkIdentity;
}

async function linked(member: SignedInPerson, claims: Readonly<Record<string, unknown>> = {}) {
  const result = await link(member, claims);
  if (result?.__typename !== 'IdentityPayload') throw new Error(`not linked: ${JSON.stringify(result)}`);
  return result.identity;
}

async function logIn(claims: Readonly<Record<string, unknown>>) {
  const idToken = await issuer.idToken(claims);
  return service.execute(LogInWithOAuth, { input: { provider: 'example', idToken } });
}

async function mine({ accessToken }: { readonly accessToken: string }) {
  return (await service.execute(MyIdentities, {}, { accessToken })).data?.me?.identities;
}

async function eventsOf(subjectId: string) {
  const where = { subjectId, type: { startsWith: 'identity.' } };
  const events = await service.app.db.auditEvent.findMany({ where, orderBy: { id: 'asc' } });
  return events.map(({ type, actorId, data }) => ({ type, actorId, data }));
}

const freshLoginRequired = {
  __typename: 'FreshLoginRequiredError',
  code: 'FRESH_LOGIN_REQUIRED',
  message: 'Give the password, or sign in again and repeat this.',
};

const lastSignInMethod = {
  __typename: 'LastSignInMethodError',
  code: 'LAST_SIGN_IN_METHOD',
  message: 'Without this identity there would be no way left to sign in. Set a password first.',
};

describe('linkIdentity', () => {
  it('lets the identity sign the user in, whatever address the provider says', async () => {
    const member = await newMember();
    const now = service.clock.now().toISOString();

    const result = await link(member, { sub: 'linked', email: 'another@provider.test', email_verified: false });

    const identity = {
      id: expect.any(String),
      provider: 'example',
      issuer: issuer.url,
      subject: 'linked',
      createdAt: now,
      lastUsedAt: now,
    };
    expect(result).toEqual({ __typename: 'IdentityPayload', identity });
    expect(await mine(member)).toEqual([identity]);
    expect(signedInBy(await logIn({ sub: 'linked' })).user).toMatchObject({ id: member.userId, email: member.email });
    expect(await eventsOf(member.userId)).toEqual([
      {
        type: 'identity.linked',
        actorId: member.userId,
        data: { identityId: expect.any(String), provider: 'example' },
      },
    ]);
  });

  it('leaves an identity that is the user’s already as it is', async () => {
    const member = await newMember();
    const identity = await linked(member, { sub: 'again' });
    service.clock.advanceSeconds(5);
    expect(await linked(member, { sub: 'again' })).toEqual(identity);
    expect(await eventsOf(member.userId)).toHaveLength(1);
  });

  it('takes no identity that is somebody else’s', async () => {
    const [owner, thief] = [await newMember(), await newMember()];
    await linked(owner, { sub: 'owned' });
    expect(await link(thief, { sub: 'owned' })).toEqual({
      __typename: 'IdentityTakenError',
      code: 'IDENTITY_TAKEN',
      message: 'This identity signs somebody else in.',
    });
    expect(await mine(thief)).toEqual([]);
    expect(await mine(owner)).toMatchObject([{ subject: 'owned' }]);
    expect(await eventsOf(thief.userId)).toEqual([
      {
        type: 'identity.refused',
        actorId: thief.userId,
        data: { provider: 'example', reason: 'identity_taken' },
      },
    ]);
  });

  it('uses the token up even when the identity is somebody else’s', async () => {
    const [owner, thief] = [await newMember(), await newMember()];
    await linked(owner, { sub: 'presented' });
    const input = { provider: 'example', idToken: await issuer.idToken({ sub: 'presented' }) };
    const answer = await service.execute(LinkIdentity, { input }, thief);
    expect(answer.data?.linkIdentity?.__typename).toBe('IdentityTakenError');
    expect((await service.execute(LogInWithOAuth, { input })).data).toEqual({ loginWithOAuth: invalidIdToken });
  });

  it('of one identity by ten users at the same time gives it to one of them', async () => {
    const members = await Promise.all(Array.from({ length: 10 }, newMember));
    const results = await Promise.all(members.map((member) => link(member, { sub: 'contested' })));
    const names = results.map((result) => result?.__typename).toSorted();
    expect(names).toEqual(['IdentityPayload', ...Array.from({ length: 9 }, () => 'IdentityTakenError')]);
  });

  it('wants the password when the sign-in was more than ten minutes ago', async () => {
    const member = await newMember();
    service.clock.advanceSeconds(600);
    await linked(member);
    service.clock.advanceSeconds(1);
    expect(await link(member)).toEqual(freshLoginRequired);
    expect(await link(member, {}, { currentPassword: 'not the password' })).toEqual(invalidCredentials);
    expect(await link(member, {}, { currentPassword: member.password })).toMatchObject({
      __typename: 'IdentityPayload',
    });
    expect(await mine(member)).toHaveLength(2);
  });

  it('takes no wrong password even right after the sign-in', async () => {
    const member = await newMember();
    for (const currentPassword of ['not the password', '']) {
      expect(await link(member, {}, { currentPassword })).toEqual(invalidCredentials);
    }
  });

  it('takes no token that is bad, used, or of a provider that is not configured, and has it on record', async () => {
    const member = await newMember();
    expect(await link(member, { aud: 'another-client' })).toEqual(invalidIdToken);
    expect(await link(member, { nonce: 'one' }, { nonce: 'another' })).toEqual(invalidIdToken);
    expect(await link(member, {}, { provider: 'google' })).toMatchObject({ code: 'UNKNOWN_PROVIDER' });
    const idToken = await issuer.idToken();
    const input = { provider: 'example', idToken };
    const { user } = signedInBy(await service.execute(LogInWithOAuth, { input }));
    const replayed = await service.execute(LinkIdentity, { input }, member);
    expect(replayed.data?.linkIdentity).toEqual(invalidIdToken);
    await service.app.db.identity.deleteMany({ where: { userId: user.id } });
    expect((await service.execute(LinkIdentity, { input }, member)).data?.linkIdentity).toEqual(invalidIdToken);
    expect(await mine(member)).toEqual([]);
    expect((await eventsOf(member.userId)).map(({ type, data }) => [type, data])).toEqual([
      ['identity.refused', { provider: 'example', reason: 'id_token_aud' }],
      ['identity.refused', { provider: 'example', reason: 'id_token_nonce' }],
      ['identity.refused', { provider: 'example', reason: 'id_token_used' }],
      ['identity.refused', { provider: 'example', reason: 'id_token_used' }],
    ]);
  });

  it('needs a sign-in', async () => {
    const idToken = await issuer.idToken();
    const answer = await service.execute(LinkIdentity, { input: { provider: 'example', idToken } });
    expect(errorsOf(answer)).toEqual([unauthenticated('linkIdentity')]);
  });
});

describe('unlinkIdentity', () => {
  it('takes the identity from the user, who still has the password', async () => {
    const member = await newMember();
    const { id } = await linked(member, { sub: 'gone', email: member.email });

    expect(await unlink(member, id.toUpperCase())).toEqual({ __typename: 'DeletedPayload', id });

    expect(await mine(member)).toEqual([]);
    expect((await eventsOf(member.userId)).at(-1)).toEqual({
      type: 'identity.unlinked',
      actorId: member.userId,
      data: { identityId: id, issuer: issuer.url },
    });
    expect(await unlink(member, id)).toMatchObject({ __typename: 'NotFoundError' });
  });

  it('knows no identity of somebody else, nor anything that is none', async () => {
    const [owner, thief] = [await newMember(), await newMember()];
    const { id } = await linked(owner);
    for (const wrong of [id, UNKNOWN_ID, 'x', '', '\u0000']) {
      expect(await unlink(thief, wrong)).toMatchObject({ __typename: 'NotFoundError', code: 'NOT_FOUND' });
    }
    expect(await mine(owner)).toHaveLength(1);
  });

  it('leaves the last way to sign in', async () => {
    const answer = signedInBy(await logIn({ sub: 'last' }));
    const [only] = answer.user.identities ?? [];
    expect(await unlink(answer, only?.id ?? '')).toEqual(lastSignInMethod);
    const more = await service.app.db.identity.create({
      data: {
        userId: answer.user.id,
        issuer: 'https://gone.example',
        subject: 'x',
        createdAt: new Date(),
        lastUsedAt: new Date(),
      },
    });
    // Its provider is configured no more.
    expect((await mine(answer))?.map(({ provider }) => provider).toSorted()).toEqual(['example', null].toSorted());
    expect(await unlink(answer, only?.id ?? '')).toEqual(lastSignInMethod);
    expect(await unlink(answer, more.id)).toMatchObject({ __typename: 'DeletedPayload' });
    expect(await link(answer, { sub: 'second' }, { provider: 'other' })).toMatchObject({
      __typename: 'IdentityPayload',
    });
    expect(await unlink(answer, only?.id ?? '')).toMatchObject({ __typename: 'DeletedPayload' });
  });

  it('of both of two at the same time leaves one', async () => {
    for (let round = 1; round <= 5; round += 1) {
      const answer = signedInBy(await logIn({}));
      expect(await link(answer)).toMatchObject({ __typename: 'IdentityPayload' });
      const ids = (await mine(answer))?.map(({ id }) => id) ?? [];
      const results = await Promise.all(ids.map((id) => unlink(answer, id)));
      expect(results.map((result) => result?.__typename).toSorted()).toEqual([
        'DeletedPayload',
        'LastSignInMethodError',
      ]);
      expect(await mine(answer)).toHaveLength(1);
    }
  });

  it('wants the password, or a sign-in within ten minutes', async () => {
    const member = await newMember();
    const { id } = await linked(member);
    service.clock.advanceSeconds(601);
    expect(await unlink(member, id)).toEqual(freshLoginRequired);
    expect(await unlink(member, id, 'not the password')).toEqual(invalidCredentials);
    expect(await unlink(member, id, member.password)).toMatchObject({ __typename: 'DeletedPayload' });
  });

  it('needs a sign-in', async () => {
    const answer = await service.execute(UnlinkIdentity, { input: { id: UNKNOWN_ID } });
    expect(errorsOf(answer)).toEqual([unauthenticated('unlinkIdentity')]);
  });
});

describe('User.identities', () => {
  it('are there for the user himself and with USERS_READ, and otherwise null and FORBIDDEN', async () => {
    const member = await newMember();
    await linked(member, { sub: 'visible' });
    const ask = (accessToken: string) => service.execute(IdentitiesOf, { id: member.userId }, { accessToken });
    const seen = { user: { id: member.userId, identities: [{ subject: 'visible' }] } };

    expect((await ask(member.accessToken)).data).toEqual(seen);
    const { accessToken } = await signIn(service, administrator);
    expect((await ask(accessToken)).data).toEqual(seen);

    const { name } = await createRoleRow(service, ['USERS_WRITE']);
    const writer = await createPerson(service, { roles: ['user', name] });
    const { accessToken: writing } = await signIn(service, { email: writer.user.email, password: writer.password });
    const updated = await service.execute(UpdateSomebody, { id: member.userId }, { accessToken: writing });
    expect(updated.data?.updateUser).toEqual({ user: { id: member.userId, identities: null } });
    expect(errorsOf(updated)).toEqual([forbidden('updateUser', 'user', 'identities')]);
  });

  it('go with the user', async () => {
    const member = await newMember();
    await linked(member, { sub: 'deleted' });
    const { accessToken } = await signIn(service, administrator);
    await service.execute(DeleteSomebody, { id: member.userId }, { accessToken });
    expect(await service.app.db.identity.count({ where: { subject: 'deleted' } })).toBe(0);
  });
});

describe('an administrator who can sign in by an identity alone', () => {
  it('counts as one who can', async () => {
    const { user } = await createPerson(service, { password: null, roles: ['user', 'admin'] });
    const { accessToken } = await signIn(service, administrator);
    const { data } = await service.execute(MyIdentities, {}, { accessToken });
    const own = data?.me?.id ?? '';
    const revoke = () => service.execute(RevokeSomebody, { id: own }, { accessToken });
    expect((await revoke()).data?.revokeUser?.__typename).toBe('LastAdministratorError');
    signedInBy(await logIn({ email: user.email }));
    expect((await revoke()).data?.revokeUser?.__typename).toBe('UserPayload');
  });
});
