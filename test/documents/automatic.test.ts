import { createHash } from 'node:crypto';
import { ApolloClient, HttpLink, InMemoryCache } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectNothingOnRecord, expectRefusal } from '../door/expectations.ts';
import { sendRaw } from '../door/raw-request.ts';
import { graphql } from '../gql/gql.ts';
import { signIn } from '../support/people.ts';
import { administrator, startTestService, type TestService } from '../support/service.ts';

const AutomaticViewer = graphql(`
  query AutomaticViewer {
    viewer {
      email
    }
  }
`);

const AutomaticLogout = graphql(`
  mutation AutomaticLogout {
    logoutEverywhere {
      revokedSessions
    }
  }
`);

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.close());

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const underHash = (hash: string) => ({ persistedQuery: { version: 1, sha256Hash: hash } });
const post = (body: object) => sendRaw(service.url, { body: JSON.stringify(body) });
const get = (hash: string) => {
  const extensions = encodeURIComponent(JSON.stringify(underHash(hash)));
  return sendRaw(service.url, { method: 'GET', target: `/graphql?extensions=${extensions}`, body: '' });
};

const NOT_FOUND = '{"errors":[{"message":"PersistedQueryNotFound","extensions":{"code":"PERSISTED_QUERY_NOT_FOUND"}}]}';

async function expectNotFound(hash: string): Promise<void> {
  for (const answer of [await post({ extensions: underHash(hash) }), await get(hash)]) {
    expect([answer.status, answer.body, answer.headers.get('cache-control')]).toEqual([200, NOT_FOUND, 'no-store']);
  }
}

describe('a document under its hash', () => {
  it('is served once it was sent in full, by POST and by GET', async () => {
    const query = '{ first: __typename }';
    await expectNotFound(sha256(query));
    const answer = '{"data":{"first":"Query"}}';
    expect((await post({ query, extensions: underHash(sha256(query)) })).body).toBe(answer);
    expect((await post({ extensions: underHash(sha256(query)) })).body).toBe(answer);
    expect((await get(sha256(query))).body).toBe(answer);
  });

  it('is never another one than that of the hash', async () => {
    const query = '{ mine: __typename }';
    const hash = sha256('{ theirs: __typename }');
    expectRefusal(await post({ query, extensions: underHash(hash) }), 400);
    await expectNotFound(hash);
  });

  it.each(['', 'x', 'A'.repeat(64), `${sha256('x')}0`, '__proto__'])(
    'is not under what is no hash: %j',
    async (hash) => {
      expectRefusal(await post({ query: '{ __typename }', extensions: underHash(hash) }), 400);
      expectRefusal(await post({ extensions: underHash(hash) }), 400);
    },
  );

  it('is bounded like any other, each time', async () => {
    const query = `mutation { a: logout { __typename } b: logout { __typename } }`;
    expectRefusal(await post({ query, extensions: underHash(sha256(query)) }), 200, 'GRAPHQL_VALIDATION_FAILED');
    expectRefusal(await post({ extensions: underHash(sha256(query)) }), 200, 'GRAPHQL_VALIDATION_FAILED');
  });

  it('is no way to send a mutation by GET', async () => {
    const query = 'mutation { login(input: { email: "a@b.example", password: "x" }) { __typename } }';
    expectRefusal(await post({ query: `query Q { __typename } ${query}`, extensions: underHash('0'.repeat(64)) }), 400);
    await post({ query, operationName: 'None', extensions: underHash(sha256(query)) });
    expectRefusal(await get(sha256(query)), 405);
    await expectNothingOnRecord(service);
  });

  it('is forgotten when there are a thousand newer ones, or a megabyte of them', async () => {
    const send = (query: string) => post({ query, extensions: underHash(sha256(query)) });
    const padded = (index: number) => `{ n${index}: __typename } #${'x'.repeat(95_000)}`;
    const old = '{ old: __typename }';
    await send(old);
    expect((await get(sha256(old))).status).toBe(200);
    for (let index = 0; index < 12; index += 1) await send(padded(index));
    await expectNotFound(sha256(old));
    await expectNotFound(sha256(padded(0)));
    expect((await get(sha256(padded(11)))).body).toBe('{"data":{"n11":"Query"}}');
  });
});

describe('Apollo Client with automatic persisted queries', () => {
  it.each([false, true])(
    'sends a document in full once, and from then on its hash; queries by GET: %s',
    async (byGet) => {
      const { accessToken } = await signIn(service, administrator);
      const sent: string[] = [];
      const link = new PersistedQueryLink({ sha256, useGETForHashedQueries: byGet }).concat(
        new HttpLink({
          uri: `${service.url}/graphql`,
          headers: { authorization: `Bearer ${accessToken}` },
          fetch(input, init) {
            const isInFull = String(init?.body ?? '').includes('"query"');
            sent.push(`${init?.method} ${isInFull ? 'in full' : 'by hash'}`);
            return fetch(input, init);
          },
        }),
      );
      const client = new ApolloClient({ link, cache: new InMemoryCache() });
      const ask = () => client.query({ query: AutomaticViewer, fetchPolicy: 'network-only' });

      const answers = [await ask(), await ask()];

      expect(answers).toMatchObject([
        { data: { viewer: { email: administrator.email } } },
        { data: { viewer: { email: administrator.email } } },
      ]);
      const hashed = `${byGet ? 'GET' : 'POST'} by hash`;
      expect(sent).toEqual(byGet ? [hashed, hashed] : [hashed, 'POST in full', hashed]);
      const { data } = await client.mutate({ mutation: AutomaticLogout });
      expect(data?.logoutEverywhere?.revokedSessions).toBeGreaterThan(0);
    },
  );
});
