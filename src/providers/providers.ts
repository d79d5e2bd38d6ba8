import type { Logger } from 'pino';
import type { OAuthProvider } from '../config/oauth-providers.ts';
import { type IdToken, verifyIdToken } from './id-token.ts';
import { KeySource } from './key-source.ts';

export interface IdentityProvider {
  readonly name: string;
  readonly issuer: string;
  readonly autoCreate: boolean;
  /** @throws IdTokenRefusal, ProviderUnavailableError */
  verify(token: string, nonce: string | null): Promise<IdToken>;
}

export interface IdentityProviders {
  /** By the name that clients call it; null when it is not configured. */
  find(name: string): IdentityProvider | null;
  /** The name of the provider with this issuer; null when it is configured no more. */
  nameOf(issuer: string): string | null;
  /** Those whose tokens are taken. */
  readonly issuers: readonly string[];
}

interface Surroundings {
  readonly now: () => Date;
  readonly log: Logger;
}

/** The configured providers with their keys, none of which has been fetched yet. */
export function openProviders(configured: readonly OAuthProvider[], { now, log }: Surroundings): IdentityProviders {
  const byName = new Map(configured.map((provider) => [provider.name, open(provider)]));
  return {
    find: (name) => byName.get(name) ?? null,
    nameOf: (issuer) => configured.find((provider) => provider.issuer === issuer)?.name ?? null,
    issuers: configured.map(({ issuer }) => issuer),
  };

  function open(provider: OAuthProvider): IdentityProvider {
    const keys = new KeySource(provider, { now, log });
    return {
      name: provider.name,
      issuer: provider.issuer,
      autoCreate: provider.autoCreate,
      verify: (token, nonce) => verifyIdToken(provider, keys, token, { nonce, now: now() }),
    };
  }
}
