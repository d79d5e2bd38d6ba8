import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startNeighbour } from '../../examples/gateway/neighbour.ts';
import { createAccessTokenVerifier } from '../../examples/gateway/verify-access-token.ts';
import { createPerson, type SignedInPerson, signIn } from '../support/people.ts';
import { administrator, startTestService, type TestService } from '../support/service.ts';
import { type Graph, type GraphAnswer, startApolloGateway, startHiveGateway } from './graph.ts';
import { startMailingList } from './neighbours.ts';

// The lists of a service whose clock stands still all look the same.
const MAX_AGE_SECONDS = 600;

let service: TestService;
let admin: SignedInPerson;
let person: SignedInPerson;
let email: string;
let graphs: { readonly hive: Graph; readonly apollo: Graph };
const running: (() => Promise<void> | void)[] = [];

beforeAll(async () => {
  service = await startTestService();
  const { user, password } = await createPerson(service);
  email = user.email;
  [admin, person] = await Promise.all([signIn(service, administrator), signIn(service, { email, password })]);
  const verifier = await createAccessTokenVerifier(service.app.issuer.url, MAX_AGE_SECONDS);
  const [posts, mailingList] = await Promise.all([startNeighbour(verifier), startMailingList(() => [email])]);
  const subgraphs = [
    { name: 'latchkey', url: `${service.url}/graphql` },
    { name: 'posts', url: posts.url },
    { name: 'mailing-list', url: mailingList.url },
  ];
  const [hive, apollo] = await Promise.all([startHiveGateway(subgraphs, verifier), startApolloGateway(subgraphs)]);
  graphs = { hive, apollo };
  running.push(hive.close, apollo.close, posts.close, mailingList.close, verifier.close, service.close);
  await hive.ask('mutation { writePost(title: "By Ada") { id } }', {}, admin);
  await apollo.ask('mutation { writePost(title: "By Emmy") { id } }', {}, person);
});

afterAll(async () => {
  for (const close of running) await close();
});

const POSTS = '{ posts { title author { id email byline } } }';
const LOGIN = `mutation ($input: LoginInput!) {
  login(input: $input) {
    __typename
    ... on AuthPayload {
      accessToken refreshToken tokenType
      session { id current }
      user { id email remark roles { name permissions } sessions { id } }
    }
    ... on Error { code }
  }
}`;

interface SignedIn {
  readonly login: {
    readonly accessToken: string;
    readonly refreshToken: string | null;
    readonly session: { readonly id: string };
  };
}

interface UsersPage {
  readonly users: { readonly items: readonly { readonly id: string }[] };
}

function codesOf({ errors }: GraphAnswer<unknown>): readonly unknown[] {
  return errors.map(({ path, extensions }) => [path?.join('.'), extensions?.code]);
}

describe.each(['hive', 'apollo'] as const)('through the gateway of %s', (name) => {
  it('a query goes through Latchkey and its neighbours, by id', async () => {
    const { data, errors } = await graphs[name].ask(POSTS, {}, admin);
    expect(errors).toEqual([]);
    expect(data).toEqual({
      posts: [
        {
          title: 'By Ada',
          author: { id: admin.userId, email: administrator.email, byline: expect.stringMatching(/^by /) },
        },
        { title: 'By Emmy', author: { id: person.userId, email, byline: 'by Emmy Noether' } },
      ],
    });
  });

  it('a query goes through Latchkey and its neighbours, by e-mail and by the name of a role', async () => {
    const { data, errors } = await graphs[name].ask(
      '{ subscribers { id subscriptions roles { name quota } } me { subscriptions posts { title } } }',
      {},
      person,
    );
    expect(errors).toEqual([]);
    expect(data).toEqual({
      subscribers: [{ id: person.userId, subscriptions: [`news for ${email}`], roles: [{ name: 'user', quota: 4 }] }],
      me: { subscriptions: [`news for ${email}`], posts: [{ title: 'By Emmy' }] },
    });
  });

  it('a neighbour answers with the errors of the house', async () => {
    const { data } = await graphs[name].ask('mutation { subscribe(list: "x") { __typename ... on Error { code } } }');
    expect(data).toEqual({ subscribe: { __typename: 'NotFoundError', code: 'NOT_FOUND' } });
  });

  it('what is refused stays refused, and blanks nothing else', async () => {
    const answer = await graphs[name].ask(POSTS, {}, person);
    expect(answer.data).toEqual({
      posts: [
        { title: 'By Ada', author: null },
        { title: 'By Emmy', author: { id: person.userId, email, byline: 'by Emmy Noether' } },
      ],
    });
    expect(JSON.stringify(answer.errors)).toContain('FORBIDDEN');
    expect(JSON.stringify(answer)).not.toContain(administrator.email);
  });

  it('nobody learns anything of users', async () => {
    const answer = await graphs[name].ask(POSTS);
    expect(answer.data).toEqual({
      posts: [
        { title: 'By Ada', author: null },
        { title: 'By Emmy', author: null },
      ],
    });
    expect(JSON.stringify(answer.errors)).toContain('UNAUTHENTICATED');
  });

  it('one signs in, sees all of oneself, refreshes and signs out', async () => {
    const { ask } = graphs[name];
    const login = await ask<SignedIn>(LOGIN, { input: { email, password: 'seventeen little goats' } });
    const { accessToken, refreshToken, ...shown } = login.data.login;
    expect(shown).toEqual({
      __typename: 'AuthPayload',
      tokenType: 'Bearer',
      session: { id: expect.any(String), current: true },
      user: {
        id: person.userId,
        email,
        remark: null,
        roles: [{ name: 'user', permissions: [] }],
        sessions: expect.arrayContaining([shown.session && { id: shown.session.id }]),
      },
    });
    expect(codesOf(login)).toEqual([['login.user.remark', 'UNAUTHENTICATED']]);
    expect((await ask('{ me { id } }', {}, { accessToken })).data).toEqual({ me: { id: person.userId } });
    const refresh = `mutation ($input: RefreshTokenInput!) { refreshToken(input: $input) { __typename } }`;
    const refreshed = await ask(refresh, { input: { refreshToken } });
    expect(refreshed.data).toEqual({ refreshToken: { __typename: 'AuthPayload' } });
    const logout = 'mutation { logout { ... on LogoutPayload { revokedSessions } } }';
    expect((await ask(logout, {}, { accessToken })).data).toEqual({ logout: { revokedSessions: 1 } });
    expect((await ask('{ me { id } }', {}, { accessToken })).data).toEqual({ me: null });
  });

  it('a wrong password is an answer like any other', async () => {
    const { data, errors } = await graphs[name].ask<SignedIn>(LOGIN, {
      input: { email, password: 'not the right one' },
    });
    expect([data, errors]).toEqual([
      { login: { __typename: 'InvalidCredentialsError', code: 'INVALID_CREDENTIALS' } },
      [],
    ]);
  });

  it('a permission lets in who holds it, and keeps out who does not', async () => {
    const query = '{ users { items { id } } }';
    const page = await graphs[name].ask<UsersPage>(query, {}, admin);
    const ids = page.data.users.items.map(({ id }) => id);
    expect(ids).toContain(person.userId);
    for (const who of [person, {}]) {
      const answer = await graphs[name].ask(query, {}, who);
      expect([answer.data, answer.errors.length]).toEqual([{ users: null }, 1]);
    }
  });
});

describe('a gateway that enforces scopes', () => {
  it('refuses by itself what Latchkey would refuse', async () => {
    const { data, errors } = await graphs.hive.ask(
      '{ users { totalCount } auditEvents { totalCount } me { id } }',
      {},
      person,
    );
    expect(data).toEqual({ users: null, auditEvents: null, me: { id: person.userId } });
    expect(errors.map(({ path, extensions }) => [path, extensions?.code])).toEqual([
      [['users'], 'UNAUTHORIZED_FIELD_OR_TYPE'],
      [['auditEvents'], 'UNAUTHORIZED_FIELD_OR_TYPE'],
    ]);
  });

  it('lets nobody ask who they are, and everybody whether somebody is signed in', async () => {
    const { data, errors } = await graphs.hive.ask('{ me { id } viewer { id } }');
    expect(data).toEqual({ me: null, viewer: null });
    expect(errors.map(({ path, extensions }) => [path, extensions?.code])).toEqual([
      [['me'], 'UNAUTHORIZED_FIELD_OR_TYPE'],
    ]);
  });
});

describe('a refresh token in the cookie', () => {
  const input = () => ({ email, password: 'seventeen little goats', refreshTokenTransport: 'COOKIE' });
  const refresh = 'mutation { refreshToken { __typename ... on AuthPayload { refreshToken } } }';

  it('passes a gateway that hands cookies on and back', async () => {
    const login = await graphs.hive.ask<SignedIn>(LOGIN, { input: input() });
    expect(login.data.login.refreshToken).toBeNull();
    const [cookie = ''] = login.cookies;
    expect(cookie).toMatch(/^latchkey_refresh=[\w-]+; .*HttpOnly; .*SameSite=Strict/);
    const answer = await graphs.hive.ask(refresh, {}, { headers: { cookie: cookie.split(';')[0] ?? '' } });
    expect(answer.data).toEqual({ refreshToken: { __typename: 'AuthPayload', refreshToken: null } });
    expect(answer.cookies).toEqual([expect.stringMatching(/^latchkey_refresh=/)]);
  });

  it('is good for nothing to a page of another origin, which the gateway passes on too', async () => {
    const login = await graphs.hive.ask<SignedIn>(LOGIN, { input: input() });
    const headers = { cookie: login.cookies[0]?.split(';')[0] ?? '', origin: 'https://somebody.example' };
    const answer = await graphs.hive.ask<{ readonly refreshToken: unknown } | null>(refresh, {}, { headers });
    expect(answer.data?.refreshToken ?? null).toBeNull();
    expect([answer.errors.length, answer.cookies]).toEqual([1, []]);
  });

  it('is lost in a gateway that does not', async () => {
    const login = await graphs.apollo.ask<SignedIn>(LOGIN, { input: input() });
    expect(login.data.login).toMatchObject({ __typename: 'AuthPayload', refreshToken: null });
    expect(login.cookies).toEqual([]);
  });
});
