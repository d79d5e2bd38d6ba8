import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPerson } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { operation, sendRaw } from './raw-request.ts';

const query =
  'mutation ($input: LoginInput!) { login(input: $input) { ... on AuthPayload { session { ipAddress } } } }';
const OWN = '127.0.0.1';

interface Case {
  readonly forwardedFor: string | readonly string[] | null;
  readonly seen: string;
}

const cases: readonly { readonly hops: string; readonly forwarded: readonly Case[] }[] = [
  {
    hops: '0',
    forwarded: [
      { forwardedFor: null, seen: OWN },
      { forwardedFor: '203.0.113.1', seen: OWN },
      { forwardedFor: '203.0.113.1, 198.51.100.2', seen: OWN },
      { forwardedFor: 'garbage', seen: OWN },
    ],
  },
  {
    hops: '1',
    forwarded: [
      { forwardedFor: null, seen: OWN },
      { forwardedFor: '203.0.113.1', seen: '203.0.113.1' },
      { forwardedFor: '1.2.3.4, 203.0.113.1', seen: '203.0.113.1' },
      { forwardedFor: ['1.2.3.4', '203.0.113.1'], seen: '203.0.113.1' },
      { forwardedFor: '2001:db8::1', seen: '2001:db8::1' },
    ],
  },
  {
    hops: '2',
    forwarded: [
      { forwardedFor: null, seen: OWN },
      { forwardedFor: '203.0.113.1', seen: '203.0.113.1' },
      { forwardedFor: '203.0.113.1, 10.0.0.1', seen: '203.0.113.1' },
      { forwardedFor: '1.2.3.4, 203.0.113.1, 10.0.0.1', seen: '203.0.113.1' },
    ],
  },
];

describe.each(cases)('with TRUST_PROXY=$hops', ({ hops, forwarded }) => {
  let service: TestService;
  let signInFrom: (forwardedFor: Case['forwardedFor']) => Promise<unknown>;

  beforeAll(async () => {
    service = await startTestService({ environment: { TRUST_PROXY: hops } });
    const { user, password } = await createPerson(service);
    signInFrom = async (forwardedFor) => {
      const { body } = await sendRaw(service.url, {
        headers: { 'x-forwarded-for': forwardedFor },
        body: operation(query, { variables: { input: { email: user.email, password } } }),
      });
      return JSON.parse(body).data.login.session.ipAddress;
    };
  });

  afterAll(() => service.close());

  it.each(forwarded)('a client behind X-Forwarded-For $forwardedFor is $seen', async ({ forwardedFor, seen }) => {
    expect(await signInFrom(forwardedFor)).toBe(seen);
  });

  it('what no proxy would have written does no harm', async () => {
    for (const forwardedFor of ['', ',', ' , ,', 'unknown', "'; DROP TABLE users", '\xfc', 'x'.repeat(10_000)]) {
      expect(await signInFrom(forwardedFor)).toEqual(expect.any(String));
    }
    expect(await signInFrom(null)).toBe(OWN);
  });
});
