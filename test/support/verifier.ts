// A resource server of somebody else's: all it has is where the service is, who it is itself, and jose. The tokens are
// the rest of its parameters; it prints a line of JSON for each.

import { createRemoteJWKSet, errors, jwtVerify } from 'jose';

const [issuer = '', audience = '', ...tokens] = process.argv.slice(2);
const response = await fetch(`${issuer}/.well-known/openid-configuration`);
const metadata = await response.json();
const keys = createRemoteJWKSet(new URL(metadata.jwks_uri));

for (const token of tokens) process.stdout.write(`${JSON.stringify(await verify(token))}\n`);

async function verify(token: string): Promise<unknown> {
  try {
    const { payload, protectedHeader } = await jwtVerify(token, keys, {
      issuer: metadata.issuer,
      audience,
      typ: 'at+jwt',
      algorithms: metadata.access_token_signing_alg_values_supported,
      requiredClaims: ['sub', 'exp', 'iat', 'jti', 'client_id'],
    });
    return { payload, protectedHeader };
  } catch (error) {
    if (error instanceof errors.JOSEError) return error.code;
    throw error;
  }
}
