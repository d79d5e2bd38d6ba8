import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { faultsOf } from '../sessions/operations.ts';
import { createPerson, type SignedInPerson, signIn } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { type Issuer, providers, startIssuer } from './issuer.ts';
import { LinkIdentity, LogInWithOAuth, signedInBy, UnlinkIdentity } from './operations.ts';

let issuer: Issuer;
let service: TestService;

beforeAll(async () => {
  issuer = await startIssuer(() => service.clock.now());
  service = await startTestService({
    environment: {
      OAUTH_PROVIDERS: providers({ example: { url: issuer.url, autoCreate: true } }),
      RATE_LIMITING: 'on',
      TRUST_PROXY: '1',
    },
  });
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => Promise.all([service?.close(), issuer?.close()]));

async function logIn(claims: Readonly<Record<string, unknown>>) {
  const idToken = await issuer.idToken(claims);
  return service.execute(LogInWithOAuth, { input: { provider: 'example', idToken } });
}

async function link({ accessToken }: SignedInPerson, subject: string) {
  const idToken = await issuer.idToken({ sub: subject });
  const answer = await service.execute(LinkIdentity, { input: { provider: 'example', idToken } }, { accessToken });
  return answer.data?.linkIdentity;
}

async function linkedId(person: SignedInPerson, subject: string): Promise<string> {
  const result = await link(person, subject);
  if (result?.__typename !== 'IdentityPayload') throw new Error(`not linked: ${JSON.stringify(result)}`);
  return result.identity.id;
}

async function unlink({ accessToken }: SignedInPerson, id: string) {
  return (await service.execute(UnlinkIdentity, { input: { id } }, { accessToken })).data?.unlinkIdentity;
}

async function newMember() {
  const { user, password } = await createPerson(service);
  return { user, person: await signIn(service, { email: user.email, password }) };
}

/** What was written to whom about this user, the oldest first. */
async function mailsTo(userId: string) {
  const mails = await service.app.db.mail.findMany({ where: { userId }, orderBy: { id: 'asc' } });
  return mails.map(({ kind, recipient }) => [kind, recipient]);
}

describe('the owner of an account is told by mail', () => {
  it('that an identity was linked, and that one was unlinked', async () => {
    const { user, person } = await newMember();
    const id = await linkedId(person, 'told');
    expect(await mailsTo(user.id)).toEqual([['identity_linked', user.email]]);
    expect(await unlink(person, id)).toEqual({ __typename: 'DeletedPayload', id });
    expect(await mailsTo(user.id)).toEqual([
      ['identity_linked', user.email],
      ['identity_unlinked', user.email],
    ]);
  });

  it('once of an identity that is linked again', async () => {
    const { user, person } = await newMember();
    expect(await linkedId(person, 'twice')).toBe(await linkedId(person, 'twice'));
    expect(await mailsTo(user.id)).toEqual([['identity_linked', user.email]]);
  });

  it('of no identity that is not linked, or not unlinked', async () => {
    const [{ user, person }, other] = [await newMember(), await newMember()];
    const id = await linkedId(other.person, 'of-another');
    expect(await link(person, 'of-another')).toMatchObject({ __typename: 'IdentityTakenError' });
    expect(await unlink(person, id)).toMatchObject({ __typename: 'NotFoundError' });
    expect(await mailsTo(user.id)).toEqual([]);
  });

  it('that a sign-in linked one to the account, and of no later sign-in', async () => {
    const { user } = await newMember();
    for (const _ of ['first', 'again']) signedInBy(await logIn({ sub: 'found', email: user.email }));
    expect(await mailsTo(user.id)).toEqual([['identity_linked', user.email]]);
  });

  it.each(['ACTIVE', 'PENDING'] as const)(
    'that a sign-in made an unproven account theirs alone: %s',
    async (status) => {
      const { user } = await createPerson(service, { emailVerified: false, status });
      for (const _ of ['first', 'again']) await logIn({ sub: `owner-${status}`, email: user.email });
      expect(await mailsTo(user.id)).toEqual([['address_proven', user.email]]);
    },
  );

  it('of nothing when the account is made by the sign-in', async () => {
    const { user } = signedInBy(await logIn({ sub: 'new' }));
    expect(await mailsTo(user.id)).toEqual([]);
  });

  it('three times an hour of what may be done over and over', async () => {
    const { user, person } = await newMember();
    for (const round of [1, 2, 3, 4]) await unlink(person, await linkedId(person, `often-${round}`));
    const kinds = (await mailsTo(user.id)).map(([kind]) => kind).toSorted();
    expect(kinds).toEqual([...Array(3).fill('identity_linked'), ...Array(3).fill('identity_unlinked')]);
  });
});
