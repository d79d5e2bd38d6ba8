import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestService, type TestService } from '../support/service.ts';

const configuration = readFileSync(new URL('../../docs/examples/apollo-router.yaml', import.meta.url), 'utf8');
const PUBLIC_URL = 'https://id.example.com';

let service: TestService;

beforeAll(async () => {
  service = await startTestService({ environment: { PUBLIC_URL } });
});

afterAll(() => service.close());

/** What stands behind this name, or below it in a list. */
function settingOf(name: string): string | undefined {
  return new RegExp(`^ *(?:- )?${name}:\\s+(?:- )?(\\S+)$`, 'm').exec(configuration)?.[1];
}

describe('the configuration of Apollo Router', () => {
  it('names keys, issuer, audience and algorithm as the service does', async () => {
    const metadata = await (await fetch(`${service.url}/.well-known/openid-configuration`)).json();
    expect({
      issuer: settingOf('issuers'),
      jwks_uri: settingOf('url'),
      access_token_signing_alg_values_supported: [settingOf('algorithms')],
    }).toEqual({
      issuer: metadata.issuer,
      jwks_uri: metadata.jwks_uri,
      access_token_signing_alg_values_supported: metadata.access_token_signing_alg_values_supported,
    });
    expect(settingOf('audiences')).toBe(service.app.issuer.audiences[0]);
  });

  it('enforces scopes, refuses nobody as such, and hands the token on', () => {
    expect([settingOf('enabled'), settingOf('require_authentication'), settingOf('on_error')]).toEqual([
      'true',
      'false',
      'Continue',
    ]);
    expect(configuration).toContain('named: authorization');
  });
});
