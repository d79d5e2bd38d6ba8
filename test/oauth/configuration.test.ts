import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ConfigError, loadConfig } from '../../src/config.ts';
import { snippetsOf } from '../docs/documents.ts';

const audience = ['web'];

function load(entries: unknown, environment: Readonly<Record<string, string>> = {}) {
  const text = typeof entries === 'string' ? entries : JSON.stringify(entries);
  return loadConfig({ OAUTH_PROVIDERS: text, ...environment }, () => randomBytes(32).toString('base64')).oauthProviders;
}

function problemsOf(entries: unknown, environment: Readonly<Record<string, string>> = {}): readonly string[] {
  try {
    load(entries, environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.filter((line) => line.startsWith('OAUTH_PROVIDERS'));
    throw error;
  }
  return [];
}

describe('OAUTH_PROVIDERS', () => {
  it('needs no more than a name and an audience for a provider that is known by name', () => {
    const names = ['apple', 'gitlab', 'google', 'slack', 'twitch', 'yahoo'];
    const known = load(names.map((name) => ({ name, audience })));
    expect(known.map(({ issuer }) => issuer)).toEqual([
      'https://appleid.apple.com',
      'https://gitlab.com',
      'https://accounts.google.com',
      'https://slack.com',
      'https://id.twitch.tv/oauth2',
      'https://api.login.yahoo.com',
    ]);
    expect(known[2]).toEqual({
      name: 'google',
      issuer: 'https://accounts.google.com',
      audience,
      jwksUri: null,
      autoCreate: false,
      privateNetwork: false,
    });
  });

  it('takes any issuer, as its tokens write it', () => {
    const entries = [
      { name: 'gitlab', issuer: 'https://git.example.com', audience },
      { name: 'auth0', issuer: 'https://tenant.eu.auth0.com/', audience: ['web', 'phone'], autoCreate: true },
      { name: 'keycloak', issuer: 'https://sso.internal:8443/realms/a', audience, jwksUri: null, privateNetwork: true },
      { name: 'local', issuer: 'http://127.0.0.1:9000', audience, jwksUri: 'http://localhost:9000/keys' },
      { name: 'local-6', issuer: 'http://[::1]:9000', audience },
      {
        name: 'microsoft',
        issuer: 'https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0',
        audience,
      },
    ];
    expect(load(entries).map(({ name, issuer }) => ({ name, issuer }))).toEqual(
      entries.map(({ name, issuer }) => ({ name, issuer })),
    );
  });

  it('is in docs/oauth.md as the service takes it', () => {
    const [{ text = '' } = {}] = snippetsOf('docs/oauth.md').filter(({ language }) => language === 'ini');
    expect(load(text.trim().replace('OAUTH_PROVIDERS=', '')).map(({ name }) => name)).toEqual(['google', 'work']);
  });

  const place = '(entry 1)';

  it.each<[string, unknown, string]>([
    ['no JSON', 'google', 'must be a JSON array of providers'],
    ['an object', { name: 'google', audience }, 'must be a JSON array of providers'],
    ['an entry that is none', ['google'], `must be an object ${place}`],
    ['no name', [{ issuer: 'https://a.example', audience }], `name is required ${place}`],
    [
      'a name in capitals',
      [{ name: 'Google', issuer: 'https://a.example', audience }],
      `name must be 1 to 32 lower-case letters, digits, - and _ ${place}`,
    ],
    [
      'an unknown name alone',
      [{ name: 'okta', audience }],
      `issuer is required: only apple, gitlab, google, slack, twitch, yahoo are known by name ${place}`,
    ],
    [
      'a name of every object',
      [{ name: 'constructor', audience }],
      `issuer is required: only apple, gitlab, google, slack, twitch, yahoo are known by name ${place}`,
    ],
    [
      'plain http',
      [{ name: 'a', issuer: 'http://a.example', audience }],
      `issuer must be https, unless its host is a loopback address ${place}`,
    ],
    [
      'credentials',
      [{ name: 'a', issuer: 'https://u:p@a.example', audience }],
      `issuer must be a URL without query, fragment or credentials ${place}`,
    ],
    [
      'a query',
      [{ name: 'a', issuer: 'https://a.example?x', audience }],
      `issuer must be a URL without query, fragment or credentials ${place}`,
    ],
    [
      'capitals',
      [{ name: 'a', issuer: 'https://A.example', audience }],
      `issuer must be written as URLs are: lower case, no default port ${place}`,
    ],
    [
      'all tenants of Microsoft',
      [{ name: 'microsoft', issuer: 'https://login.microsoftonline.com/common/v2.0', audience }],
      `issuer must name one tenant by its id: https://login.microsoftonline.com/TENANT-ID/v2.0 ${place}`,
    ],
    [
      'the placeholder of Microsoft',
      [{ name: 'microsoft', issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0', audience }],
      `issuer must name one tenant by its id: https://login.microsoftonline.com/TENANT-ID/v2.0 ${place}`,
    ],
    ['no audience', [{ name: 'google' }], `audience must be a list of client ids ${place}`],
    ['an empty audience', [{ name: 'google', audience: [] }], `audience must have at least one client id ${place}`],
    [
      'an audience that is none',
      [{ name: 'google', audience: 'web' }],
      `audience must be a list of client ids ${place}`,
    ],
    [
      'keys over http',
      [{ name: 'google', audience, jwksUri: 'http://a.example' }],
      `jwksUri must be https, unless its host is a loopback address ${place}`,
    ],
    [
      'a word for true',
      [{ name: 'google', audience, autoCreate: 'true' }],
      `autoCreate must be true or false ${place}`,
    ],
    [
      'a slip of the pen',
      [{ name: 'google', audience, autocreate: true }],
      `may have name, issuer, audience, jwksUri, autoCreate and privateNetwork, and nothing else ${place}`,
    ],
    [
      'a name twice',
      [
        { name: 'google', audience },
        { name: 'google', issuer: 'https://a.example', audience },
      ],
      'name is there twice (entry 2)',
    ],
    [
      'an issuer twice',
      [
        { name: 'google', audience },
        { name: 'b', issuer: 'https://accounts.google.com', audience },
      ],
      'issuer is there twice (entry 2)',
    ],
  ])('refuses %s', (_what, entries, problem) => {
    expect(problemsOf(entries)).toEqual([`OAUTH_PROVIDERS ${problem}`]);
  });

  it('says everything that is wrong at once, and repeats nothing of it', () => {
    const [line = ''] = problemsOf([
      { name: 'canary one', issuer: 'canary two', audience: [7], canary: 'three' },
      { name: 'google', audience: ['canary four canary'] },
    ]);
    expect(line.split('; ')).toEqual([
      expect.stringMatching(/^OAUTH_PROVIDERS name .*\(entry 1\)$/),
      expect.stringMatching(/^issuer .*\(entry 1\)$/),
      expect.stringMatching(/^audience .*\(entry 1\)$/),
      expect.stringMatching(/^may have .*\(entry 1\)$/),
      expect.stringMatching(/^audience .*\(entry 2\)$/),
    ]);
    expect(line).not.toMatch(/canary|three/);
  });

  it('must be https in production', () => {
    for (const urls of [
      { issuer: 'http://127.0.0.1' },
      { issuer: 'https://a.example', jwksUri: 'http://[::1]/keys' },
    ]) {
      expect(problemsOf([{ name: 'a', audience, ...urls }], { NODE_ENV: 'production' })).toEqual([
        'OAUTH_PROVIDERS must have https in every issuer and jwksUri in production',
      ]);
    }
  });
});
