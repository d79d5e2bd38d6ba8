import { getIntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestService, type TestService } from '../support/service.ts';
import { expectRefusal } from './expectations.ts';
import { errorCodes, operation, type RawAnswer, sendRaw } from './raw-request.ts';

const production = {
  NODE_ENV: 'production',
  MAIL_TRANSPORT: 'smtp',
  SMTP_URL: 'smtp://127.0.0.1:25',
  PUBLIC_URL: 'https://identity.example.com',
  ARGON2_MEMORY_KIB: '19456',
  ARGON2_ITERATIONS: '2',
};

const INVALID = 'GRAPHQL_VALIDATION_FAILED';

let service: TestService;

function run(query: string, variables = {}): Promise<RawAnswer> {
  const headers = { accept: 'application/graphql-response+json' };
  return sendRaw(service.url, { headers, body: operation(query, { variables }) });
}

interface Slip {
  readonly what: string;
  readonly query: string;
  readonly variables?: object;
  /** The name that it is nearly, as messages quote it. */
  readonly meant: string;
  /** Unless it is in a variable, of which nothing is ever repeated. */
  readonly isQuoted?: boolean;
}

const login = (transport: string) =>
  `login(input: { email: "a", password: "b", refreshTokenTransport: ${transport} }) { __typename }`;

const slips: readonly Slip[] = [
  { what: 'a field', query: '{ viewr { id } }', meant: '"viewer"' },
  { what: 'a field of an object', query: '{ viewer { emial } }', meant: '"email"' },
  { what: 'a mutation', query: 'mutation { logut { __typename } }', meant: '"logout"' },
  { what: 'an argument', query: 'mutation { logout(inptu: {}) { __typename } }', meant: '"input"' },
  {
    what: 'a field of an input',
    query: 'mutation { logout(input: { refreshTokn: "x" }) { __typename } }',
    meant: '"refreshToken"',
  },
  {
    what: 'a field of an input in a variable',
    query: 'mutation ($input: LogoutInput!) { logout(input: $input) { __typename } }',
    variables: { input: { refreshTokn: 'x' } },
    meant: '"refreshToken"',
  },
  { what: 'the type of a fragment', query: '{ viewer { ... on Usr { id } } }', meant: '"User"' },
  {
    what: 'the type of a variable',
    query: 'mutation ($input: LogotInput) { logout(input: $input) { __typename } }',
    meant: '"LogoutInput"',
  },
  { what: 'an enum value', query: `mutation { ${login('BODYY')} }`, meant: '"BODY"' },
  {
    what: 'an enum value in a variable',
    query: `mutation ($transport: RefreshTokenTransport!) { ${login('$transport')} }`,
    variables: { transport: 'COKIE' },
    meant: '"COOKIE"',
    isQuoted: false,
  },
  {
    what: 'a field of a member of a union',
    query: 'mutation { logout { ... on LogoutPayload { revokedSession } } }',
    meant: '"revokedSessions"',
  },
];

async function messagesOf({ query, variables }: Slip): Promise<string> {
  const { status, body } = await run(query, variables);
  expect(status).toBe(400);
  const { errors } = JSON.parse(body) as { errors: readonly { message: string }[] };
  return errors.map(({ message }) => message).join('\n');
}

describe('in production', () => {
  beforeAll(async () => {
    service = await startTestService({ environment: production });
  });

  afterAll(() => service.close());

  it.each([
    ['as tools do it', getIntrospectionQuery()],
    ['of the schema', '{ __schema { queryType { name } } }'],
    ['of a type', '{ __type(name: "User") { name } }'],
    ['under another name', '{ a: __schema { types { name } } }'],
    ['in a fragment', '{ ...F } fragment F on Query { ... { __type(name: "User") { name } } }'],
    ['though left out', '{ __schema @skip(if: true) { types { name } } }'],
  ])('there is no introspection %s', async (_, query) => {
    expectRefusal(await run(query), 400, INVALID);
  });

  it('a type still tells its name, which clients need', async () => {
    expect((await run('{ __typename }')).body).toBe('{"data":{"__typename":"Query"}}');
  });

  it.each(slips)('nobody is told what would have been right: $what', async (slip) => {
    const messages = await messagesOf(slip);
    expect(messages).not.toMatch(/did you mean/i);
    expect(messages).not.toContain(slip.meant);
  });

  it('there is no GraphiQL', async () => {
    for (const target of ['/graphql', '/graphql?query=%7B__typename%7D']) {
      const browser = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' };
      const answer = await sendRaw(service.url, { method: 'GET', target, headers: browser });
      expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
      const page = await sendRaw(service.url, { method: 'GET', target, headers: { accept: 'text/html' } });
      expectRefusal(page, 406);
    }
  });

  it('a gateway is told the schema all the same', async () => {
    const answer = await run('{ _service { sdl } }');
    expect(errorCodes(answer)).toEqual([]);
    expect(JSON.parse(answer.body).data._service.sdl).toContain('type User');
  });
});

describe('in production, where it was asked for', () => {
  beforeAll(async () => {
    service = await startTestService({ environment: { ...production, GRAPHIQL: 'on', INTROSPECTION: 'on' } });
  });

  afterAll(() => service.close());

  it('there are introspection, suggestions and GraphiQL', async () => {
    expect((await run('{ __schema { queryType { name } } }')).body).toBe(
      '{"data":{"__schema":{"queryType":{"name":"Query"}}}}',
    );
    expect((await run('{ viewr { id } }')).body).toContain('Did you mean \\"viewer\\"');
    const page = await sendRaw(service.url, { method: 'GET', headers: { accept: 'text/html' } });
    expect([page.status, page.headers.get('content-type')]).toEqual([200, expect.stringMatching(/^text\/html/)]);
  });
});

describe('outside production', () => {
  beforeAll(async () => {
    service = await startTestService();
  });

  afterAll(() => service.close());

  it.each(slips.filter(({ isQuoted = true }) => isQuoted))(
    'a slip is told from what was meant: $what',
    async (slip) => {
      const messages = await messagesOf(slip);
      expect(messages).toMatch(/did you mean/i);
      expect(messages).toContain(slip.meant);
    },
  );
});
