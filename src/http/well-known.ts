import type { App } from '../app.ts';

export const JWKS_PATH = '/.well-known/jwks.json';
export const DISCOVERY_PATH = '/.well-known/openid-configuration';

/** The public halves of the signing keys, as a JWK Set (RFC 7517 §5). */
export function jwks(app: App) {
  return { keys: app.keys.published(app.now()).map((key) => key.publicJwk) };
}

/**
 * As much of OpenID Connect Discovery as a verifier of access tokens needs. We are no OpenID provider, so there is no
 * authorization endpoint to name.
 *
 * @see OpenID Connect Discovery 1.0 §3, RFC 8414 §2
 */
export function discovery(app: App) {
  const algorithms = [...new Set(app.keys.published(app.now()).map((key) => key.algorithm))];
  return {
    issuer: app.issuer.url,
    jwks_uri: `${app.issuer.url}${JWKS_PATH}`,
    response_types_supported: [],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: algorithms,
    access_token_signing_alg_values_supported: algorithms,
  };
}
