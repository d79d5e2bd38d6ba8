import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { newNonce, signInWithProvider } from '../../examples/provider-sign-in.ts';
import { faultsOf } from '../sessions/operations.ts';
import { createPerson, signIn } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { providers } from './issuer.ts';
import { invalidIdToken, LinkIdentity, LogInWithOAuth, signedInBy } from './operations.ts';
import { type RealProvider, startRealProvider } from './real-provider.ts';

let provider: RealProvider;
let service: TestService;

beforeAll(async () => {
  provider = await startRealProvider((subject) => ({
    email: `${subject}@provider.test`,
    email_verified: true,
    given_name: 'Maria',
    family_name: 'Agnesi',
  }));
  const OAUTH_PROVIDERS = providers({ example: { url: provider.url, autoCreate: true } });
  service = await startTestService({ environment: { OAUTH_PROVIDERS } });
  // The provider reads the time from the machine.
  vi.useFakeTimers({ toFake: ['Date'], now: service.clock.now() });
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(async () => {
  vi.useRealTimers();
  await Promise.all([service?.close(), provider?.close()]);
});

function present(idToken: string, nonce?: string) {
  return service.execute(LogInWithOAuth, { input: { provider: 'example', idToken, nonce } });
}

describe('with an ID token of a certified OpenID provider', () => {
  it('a person signs up, and signs in again, each token being good once', async () => {
    const idToken = await provider.signIn({ subject: 'maria', nonce: 'first' });
    const first = signedInBy(await present(idToken, 'first'));
    expect(first.user).toMatchObject({
      email: 'maria@provider.test',
      emailVerified: true,
      firstName: 'Maria',
      lastName: 'Agnesi',
      identities: [{ provider: 'example', issuer: provider.url, subject: 'maria' }],
    });
    expect((await present(idToken, 'first')).data).toEqual({ loginWithOAuth: invalidIdToken });
    const again = signedInBy(await present(await provider.signIn({ subject: 'maria', nonce: 'second' }), 'second'));
    expect(again.user.id).toBe(first.user.id);
  });

  it('a person is signed in without a nonce, if none was sent to the provider', async () => {
    signedInBy(await present(await provider.signIn({ subject: 'laura' })));
    const withNonce = await provider.signIn({ subject: 'laura', nonce: 'sent' });
    expect((await present(withNonce)).data).toEqual({ loginWithOAuth: invalidIdToken });
  });

  it('the owner of an account is linked to it', async () => {
    const { user } = await createPerson(service, { email: 'emilie@provider.test' });
    const signedIn = signedInBy(await present(await provider.signIn({ subject: 'emilie' })));
    expect(signedIn.user).toMatchObject({ id: user.id, firstName: 'Emmy' });
  });

  it('a signed-in user links it to an account with another address', async () => {
    const { user, password } = await createPerson(service);
    const { accessToken } = await signIn(service, { email: user.email, password });
    const input = { provider: 'example', idToken: await provider.signIn({ subject: 'caroline' }) };
    const { data } = await service.execute(LinkIdentity, { input }, { accessToken });
    expect(data?.linkIdentity).toMatchObject({ identity: { subject: 'caroline' } });
    const later = await provider.signIn({ subject: 'caroline', nonce: 'later' });
    expect(signedInBy(await present(later, 'later')).user.id).toBe(user.id);
  });

  it('a page signs a person in as examples/provider-sign-in.ts does it', async () => {
    const nonce = newNonce();
    const idToken = await provider.signIn({ subject: 'sophie', nonce });
    expect(await signInWithProvider(service.url, 'example', idToken, nonce)).toEqual({
      __typename: 'AuthPayload',
      accessToken: expect.any(String),
      accessTokenExpiresAt: expect.any(String),
      user: { id: expect.any(String), email: 'sophie@provider.test', firstName: 'Maria' },
    });
    expect(await signInWithProvider(service.url, 'example', idToken, nonce)).toEqual(invalidIdToken);
    expect(newNonce()).not.toBe(nonce);
  });

  it('nobody is signed in ten minutes after it was made', async () => {
    const idToken = await provider.signIn({ subject: 'late' });
    service.clock.advanceSeconds(601);
    expect((await present(idToken)).data).toEqual({ loginWithOAuth: invalidIdToken });
  });
});
