import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApolloClient, HttpLink, InMemoryCache } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { print } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError, loadConfig } from '../../src/config.ts';
import { expectNothingOnRecord, expectRefusal } from '../door/expectations.ts';
import { type RawAnswer, type RawRequest, sendRaw } from '../door/raw-request.ts';
import { graphql } from '../gql/gql.ts';
import { administrator, startTestService, type TestService, testEnvironment } from '../support/service.ts';

const TrustedViewer = graphql(`
  query TrustedViewer {
    viewer {
      id
    }
  }
`);

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const viewer = print(TrustedViewer);
// With the __typename that it adds everywhere.
const viewerOfApollo = print(new InMemoryCache().transformDocument(TrustedViewer));
const documents = {
  [sha256(viewerOfApollo)]: viewerOfApollo,
  [sha256(viewer)]: viewer,
  'log-in': 'mutation LogIn($input: LoginInput!) { login(input: $input) { __typename } }',
  two: 'query First { __typename } query Second { viewer { id } }',
};

const LIST_ONLY =
  'Only the documents of a list are served here: name one by its id, and send no text (PERSISTED_DOCUMENTS).';

let directory: string;
const file = (name: string, content: unknown) => {
  const path = join(directory, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
};

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'latchkey-documents-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

const post = (service: TestService, body: object, headers: RawRequest['headers'] = {}) =>
  sendRaw(service.url, { body: JSON.stringify(body), headers: { ...headers } });

const get = (service: TestService, parameters: Record<string, string>) =>
  sendRaw(service.url, { method: 'GET', target: `/graphql?${new URLSearchParams(parameters)}`, body: '' });

function expectRefused(answer: RawAnswer, message: string): void {
  expectRefusal(answer, 200);
  expect(JSON.parse(answer.body).errors[0].message).toBe(message);
}

describe('in production with a list of documents', () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startTestService({
      environment: {
        NODE_ENV: 'production',
        MAIL_TRANSPORT: 'smtp',
        SMTP_URL: 'smtp://127.0.0.1:25',
        PUBLIC_URL: 'https://identity.example.com',
        ARGON2_MEMORY_KIB: '19456',
        ARGON2_ITERATIONS: '2',
        PERSISTED_DOCUMENTS: file('documents.json', documents),
      },
    });
  });
  afterAll(() => service.close());

  const extensions = { persistedQuery: { version: 1, sha256Hash: sha256(viewer) } };

  it('they are served by their ids, however a client names them', async () => {
    const answer = '{"data":{"viewer":null}}';
    expect((await post(service, { documentId: sha256(viewer) })).body).toBe(answer);
    expect((await post(service, { extensions })).body).toBe(answer);
    expect((await get(service, { documentId: sha256(viewer) })).body).toBe(answer);
    expect((await get(service, { extensions: JSON.stringify(extensions) })).body).toBe(answer);
  });

  it('they take variables, and an operation of several', async () => {
    const variables = { input: { email: administrator.email, password: administrator.password } };
    expect((await post(service, { documentId: 'log-in', variables })).body).toBe(
      '{"data":{"login":{"__typename":"AuthPayload"}}}',
    );
    expect((await post(service, { documentId: 'two', operationName: 'First' })).body).toBe(
      '{"data":{"__typename":"Query"}}',
    );
    await service.app.db.auditEvent.deleteMany();
  });

  it.each([
    ['a document', { query: '{ __typename }' }],
    ['introspection', { query: '{ __schema { queryType { name } } }' }],
    ['what a gateway asks', { query: '{ _service { sdl } }' }],
    ['a document of the list', { query: viewer }],
    ['it together with its hash', { query: viewer, extensions }],
    ['another one with its hash', { query: '{ __typename }', documentId: sha256(viewer) }],
  ])('nobody may send %s', async (_, body) => {
    expectRefused(await post(service, body), LIST_ONLY);
    expectRefused(await post(service, body, { origin: 'https://identity.example.com' }), LIST_ONLY);
  });

  it.each(['__proto__', 'constructor', 'unknown', sha256('{ __typename }')])(
    'there is nothing of another id: %s',
    async (documentId) => {
      expectRefused(await post(service, { documentId }), 'There is no document of this id (PERSISTED_DOCUMENTS).');
    },
  );

  it.each([
    ['a number', { documentId: 5 }],
    ['no text', { documentId: '' }],
    ['a hash of another version', { extensions: { persistedQuery: { version: 2, sha256Hash: sha256(viewer) } } }],
    ['a version without a hash', { extensions: { persistedQuery: { version: 1 } } }],
    ['no object', { extensions: { persistedQuery: 'x' } }],
    ['nothing', {}],
  ])('an id is not %s', async (_, body) => {
    expectRefusal(await post(service, body), 400);
  });

  it('a mutation of the list is not to be had by GET', async () => {
    const variables = JSON.stringify({ input: { email: administrator.email, password: 'x' } });
    expectRefusal(await get(service, { documentId: 'log-in', variables }), 405);
    await expectNothingOnRecord(service);
  });

  it('Apollo Client needs to be told nothing but to send hashes', async () => {
    const link = new PersistedQueryLink({ sha256 }).concat(new HttpLink({ uri: `${service.url}/graphql` }));
    const client = new ApolloClient({ link, cache: new InMemoryCache() });
    expect((await client.query({ query: TrustedViewer })).data).toEqual({ viewer: null });
  });
});

describe('outside production with a list of documents', () => {
  const ownPage = (service: TestService) => ({ origin: service.url });
  const query = { query: '{ __typename }' };
  const served = '{"data":{"__typename":"Query"}}';

  it('pages of our own may send others where PERSISTED_DOCUMENTS_ESCAPE says so, and nobody else', async () => {
    const PERSISTED_DOCUMENTS = file('documents.json', documents);
    const service = await startTestService({ environment: { PERSISTED_DOCUMENTS, PERSISTED_DOCUMENTS_ESCAPE: 'on' } });
    expect((await post(service, query, ownPage(service))).body).toBe(served);
    expectRefused(await post(service, query), LIST_ONLY);
    expectRefused(await post(service, query, { origin: 'http://localhost:1' }), LIST_ONLY);
    expectRefusal(await post(service, query, { origin: 'https://evil.example' }), 403, 'FORBIDDEN');
    expectRefused(await get(service, query), LIST_ONLY);
    expect((await post(service, { documentId: 'two', operationName: 'First' })).body).toBe(served);
    await service.close();
  });

  it('not even they may without', async () => {
    const service = await startTestService({ environment: { PERSISTED_DOCUMENTS: file('documents.json', documents) } });
    expectRefused(await post(service, query, ownPage(service)), LIST_ONLY);
    await service.close();
  });
});

describe('PERSISTED_DOCUMENTS', () => {
  const load = (environment: Record<string, string>) => () =>
    loadConfig({ ...testEnvironment, ...environment }, () => '');

  it('escapes nothing in production', () => {
    const environment = { NODE_ENV: 'production', PERSISTED_DOCUMENTS_ESCAPE: 'on' };
    expect(load(environment)).toThrow(/^PERSISTED_DOCUMENTS_ESCAPE must be off in production$/m);
  });

  it.each([
    ['is not JSON', '{', 'must be the path of a file with JSON in it'],
    ['is empty', '{}', 'must be the path of a file with a JSON object of documents by their ids: { "id": "query …" }'],
    ['is a list', '["{ __typename }"]', 'must be the path of a file with a JSON object'],
    [
      'has something else than documents',
      '{"a":{"query":"{ __typename }"}}',
      'must be the path of a file with a JSON object',
    ],
    ['has one without an id', '{"":"{ __typename }"}', 'must be the path of a file with a JSON object'],
  ])('is refused when its file %s', (_, content, problem) => {
    expect(load({ PERSISTED_DOCUMENTS: file('bad.json', content) })).toThrow(`PERSISTED_DOCUMENTS ${problem}`);
  });

  it('is refused when there is no such file', () => {
    const PERSISTED_DOCUMENTS = join(directory, 'nothing.json');
    expect(load({ PERSISTED_DOCUMENTS })).toThrow('PERSISTED_DOCUMENTS names a file that cannot be read (ENOENT)');
  });

  it.each([
    ['is broken', '{ viewer', '"bad": Syntax Error: Expected Name, found <EOF>.'],
    ['was made for another schema', '{ viewr { id } }', '"bad": Cannot query field "viewr" on type "Query".'],
    [
      'is too deep',
      `{ ${'viewer { '.repeat(11)} id ${'}'.repeat(11)} }`,
      '"bad": Syntax Error: Query depth limit of 10',
    ],
    [
      'logs in twice',
      'mutation { a: logout { __typename } b: logout { __typename } }',
      '"bad": "logout" may be asked for once',
    ],
  ])('is refused at the start when one of its documents %s', async (_, document, problem) => {
    const PERSISTED_DOCUMENTS = file('bad.json', { ...documents, bad: document });
    const failure = await startTestService({ environment: { PERSISTED_DOCUMENTS } }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ConfigError);
    expect(failure).toMatchObject({
      message: expect.stringContaining(`PERSISTED_DOCUMENTS has documents that cannot be served: ${problem}`),
    });
  });
});
