import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { faultsOf, Me } from '../sessions/operations.ts';
import { createPerson, signIn } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { type Issuer, providers, startIssuer } from './issuer.ts';
import { invalidIdToken, LinkIdentity, LogInWithOAuth, signedInBy, UnlinkIdentity } from './operations.ts';

let issuer: Issuer;
let service: TestService;

beforeAll(async () => {
  issuer = await startIssuer(() => service.clock.now());
  const OAUTH_PROVIDERS = providers({ example: { url: issuer.url, autoCreate: true } });
  service = await startTestService({ database: 'embedded', environment: { OAUTH_PROVIDERS, RATE_LIMITING: 'on' } });
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => Promise.all([service?.close(), issuer?.close()]));

function present(idToken: string) {
  return service.execute(LogInWithOAuth, { input: { provider: 'example', idToken } });
}

describe('on the embedded database', () => {
  it('a stranger gets an account, is known again, and no token is good twice', async () => {
    const idToken = await issuer.idToken({ sub: 'sofja' });
    const first = signedInBy(await present(idToken));
    expect((await present(idToken)).data).toEqual({ loginWithOAuth: invalidIdToken });
    const second = signedInBy(await present(await issuer.idToken({ sub: 'sofja' })));
    expect(second.user.id).toBe(first.user.id);
    const me = await service.execute(Me, {}, { accessToken: second.accessToken });
    expect(me.data?.me?.id).toBe(first.user.id);
  });

  it('fifty first sign-ins at the same time make one user', async () => {
    const idTokens = await Promise.all(
      Array.from({ length: 50 }, () => issuer.idToken({ sub: 'fifty', email: 'f@x.test' })),
    );
    const answers = await Promise.all(idTokens.map(present));
    expect(new Set(answers.map((answer) => signedInBy(answer).user.id)).size).toBe(1);
  });

  it('one token, twenty times at the same time, opens one session', async () => {
    const idToken = await issuer.idToken();
    const answers = await Promise.all(Array.from({ length: 20 }, () => present(idToken)));
    const opened = answers.filter(({ data }) => data?.loginWithOAuth?.__typename === 'AuthPayload');
    expect(opened).toHaveLength(1);
    await service.app.db.rateLimit.deleteMany();
  });

  it('the owner of an address takes an unproven account over', async () => {
    const { user } = await createPerson(service, { emailVerified: false });
    expect(signedInBy(await present(await issuer.idToken({ email: user.email }))).user.id).toBe(user.id);
    const proven = await service.app.db.user.findUniqueOrThrow({ where: { id: user.id } });
    expect(proven).toMatchObject({ passwordHash: null, emailVerified: true });
  });

  it('an identity is linked and unlinked', async () => {
    const { user, password } = await createPerson(service);
    const { accessToken } = await signIn(service, { email: user.email, password });
    const input = { provider: 'example', idToken: await issuer.idToken() };
    const linked = (await service.execute(LinkIdentity, { input }, { accessToken })).data?.linkIdentity;
    const id = linked?.__typename === 'IdentityPayload' ? linked.identity.id : '';
    const unlinked = await service.execute(UnlinkIdentity, { input: { id } }, { accessToken });
    expect(unlinked.data?.unlinkIdentity).toEqual({ __typename: 'DeletedPayload', id });
  });
});
