import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Invitation } from '../../src/database/generated/client.ts';
import { expectNothingOfTheInside, expectStillServing } from '../door/expectations.ts';
import { createPerson, type Person, type SignedInPerson, signIn } from '../support/people.ts';
import { administrator, startTestService, type TestService } from '../support/service.ts';
import { withStatements } from '../support/statements.ts';

interface Answer {
  readonly data?: { readonly _entities: readonly (Record<string, unknown> | null)[] } | null;
  readonly errors?: readonly { readonly path?: readonly unknown[]; readonly extensions: { readonly code: string } }[];
}

let service: TestService;
let admin: SignedInPerson;
let person: Person;
let other: Person;
let signedIn: SignedInPerson;
let invitation: Invitation;

beforeAll(async () => {
  service = await startTestService();
  person = await createPerson(service);
  other = await createPerson(service);
  const now = service.clock.now();
  invitation = await service.app.db.invitation.create({
    data: {
      email: 'invited@latchkey.test',
      firstName: 'Hedy',
      lastName: 'Lamarr',
      expiresAt: now,
      createdAt: now,
      updatedAt: now,
    },
  });
  [admin, signedIn] = await Promise.all([
    signIn(service, administrator),
    signIn(service, { email: person.user.email, password: person.password }),
  ]);
});

afterAll(() => service.close());

const UNKNOWN_ID = '019aab12-3456-7abc-8def-0123456789ab';

// What a gateway sends. There is no typed document for it: `_Any` is whatever the gateway makes of the keys.
async function resolve(
  representations: unknown,
  accessToken?: string,
  selection = '... on User { id email } ... on Role { id name } ... on Invitation { id email }',
): Promise<Answer> {
  const query = `query ($representations: [_Any!]!) { _entities(representations: $representations) { __typename ${selection} } }`;
  const response = await fetch(`${service.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(accessToken !== undefined && { authorization: `Bearer ${accessToken}` }),
    },
    body: JSON.stringify({ query, variables: { representations } }),
  });
  const text = await response.text();
  expect(response.status, text).toBeLessThan(500);
  expectNothingOfTheInside(text);
  return JSON.parse(text);
}

function refusedWith(code: string): Answer {
  return {
    data: { _entities: [null] },
    errors: [expect.objectContaining({ path: ['_entities', 0], extensions: { code } })],
  };
}

/** Nobody is refused once, however many references there are. */
const REFUSED_TO_NOBODY: Answer = {
  data: null,
  errors: [expect.objectContaining({ path: ['_entities'], extensions: { code: 'UNAUTHENTICATED' } })],
};

function userOf({ user }: Person) {
  return { __typename: 'User', id: user.id, email: user.email };
}

const references = {
  'oneself by id': () => ({ __typename: 'User', id: person.user.id }),
  'oneself by e-mail': () => ({ __typename: 'User', email: person.user.email }),
  'oneself by e-mail in capitals': () => ({ __typename: 'User', email: ` ${person.user.email.toUpperCase()} ` }),
  'somebody else by id': () => ({ __typename: 'User', id: other.user.id }),
  'somebody else by e-mail': () => ({ __typename: 'User', email: other.user.email }),
  'nobody by id': () => ({ __typename: 'User', id: UNKNOWN_ID }),
  'nobody by e-mail': () => ({ __typename: 'User', email: 'nobody@latchkey.test' }),
  'a user by an id that is none': () => ({ __typename: 'User', id: "1' OR '1'='1" }),
  'a user by an e-mail that is none': () => ({ __typename: 'User', email: '@' }),
  'a user by no key': () => ({ __typename: 'User' }),
  'a role by name': () => ({ __typename: 'Role', name: 'user' }),
  'a role by name in capitals': () => ({ __typename: 'Role', name: 'USER' }),
  'a role that is not there': () => ({ __typename: 'Role', name: 'nobody' }),
  'a role by an id that is not there': () => ({ __typename: 'Role', id: UNKNOWN_ID }),
  'a role by no key': () => ({ __typename: 'Role' }),
  'an invitation': () => ({ __typename: 'Invitation', id: invitation.id }),
  'an invitation that is not there': () => ({ __typename: 'Invitation', id: UNKNOWN_ID }),
  'an invitation by an id that is none': () => ({ __typename: 'Invitation', id: "1' OR '1'='1" }),
  'an invitation by no key': () => ({ __typename: 'Invitation' }),
};

type ReferenceName = keyof typeof references;
const names = Object.keys(references) as ReferenceName[];
const ofOneself = names.filter((name) => name.startsWith('oneself'));

describe('_entities', () => {
  it.each(names)('tells nobody of %s', async (name) => {
    expect(await resolve([references[name]()])).toEqual(REFUSED_TO_NOBODY);
    expect(await resolve([references[name]()], 'garbage')).toEqual(REFUSED_TO_NOBODY);
  });

  it.each(ofOneself)('tells a user of %s', async (name) => {
    const answer = await resolve([references[name]()], signedIn.accessToken);
    expect(answer).toEqual({ data: { _entities: [userOf(person)] } });
  });

  it.each(names.filter((name) => !ofOneself.includes(name)))(
    'tells a user nothing of %s, not even whether it is there',
    async (name) => {
      expect(await resolve([references[name]()], signedIn.accessToken)).toEqual(refusedWith('FORBIDDEN'));
    },
  );

  it('tells an administrator of all that is there, and null for what is not', async () => {
    const answer = await resolve(
      names.map((name) => references[name]()),
      admin.accessToken,
    );
    const role = { __typename: 'Role', id: expect.any(String), name: 'user' };
    expect(answer).toEqual({
      data: {
        _entities: [
          ...ofOneself.map(() => userOf(person)),
          userOf(other),
          userOf(other),
          ...[null, null, null, null, null],
          ...[role, role, null, null, null],
          { __typename: 'Invitation', id: invitation.id, email: invitation.email },
          ...[null, null, null],
        ],
      },
    });
  });

  it('goes by the id when a reference has both keys', async () => {
    const both = { __typename: 'User', id: person.user.id, email: other.user.email };
    expect(await resolve([both], admin.accessToken)).toEqual({ data: { _entities: [userOf(person)] } });
    expect(await resolve([both], signedIn.accessToken)).toEqual({ data: { _entities: [userOf(person)] } });
    const reversed = { __typename: 'User', id: other.user.id, email: person.user.email };
    expect(await resolve([reversed], signedIn.accessToken)).toEqual(refusedWith('FORBIDDEN'));
  });

  it('answers each reference by itself', async () => {
    const answer = await resolve(
      [references['somebody else by id'](), references['oneself by id'](), references['a role by name']()],
      signedIn.accessToken,
    );
    expect(answer.data).toEqual({ _entities: [null, userOf(person), null] });
    expect(answer.errors?.map(({ path, extensions }) => [path, extensions.code])).toEqual([
      [['_entities', 0], 'FORBIDDEN'],
      [['_entities', 2], 'FORBIDDEN'],
    ]);
  });

  it.each([
    ['a number', 5],
    ['text', 'User'],
    ['true', true],
    ['a list', ['User']],
    ['an empty object', {}],
    ['no type', { id: UNKNOWN_ID }],
    ['an unknown type', { __typename: 'Nobody' }],
    ['a number for a type', { __typename: 5 }],
    ['null for a type', { __typename: null }],
    ['a list for a type', { __typename: ['User'] }],
    ['an object for a type', { __typename: { toString: 1, valueOf: 1 } }],
    ['a prototype for a type', { __typename: '__proto__' }],
    ['the type of all queries', { __typename: 'Query' }],
    ['a type that is no entity', { __typename: 'Session', id: UNKNOWN_ID }],
    ['a payload with tokens', { __typename: 'AuthPayload', tokens: { accessToken: 'x' }, transport: 'BODY' }],
    ['an interface', { __typename: 'Error' }],
    ['an input', { __typename: 'LoginInput' }],
    ['an enum', { __typename: 'Permission' }],
    ['the union of all entities', { __typename: '_Entity' }],
  ])('refuses the whole request for %s in place of a reference', async (_, garbage) => {
    for (const representations of [
      [garbage],
      [references['oneself by id'](), garbage],
      Array.from({ length: 1000 }, () => garbage),
    ]) {
      expect(await resolve(representations)).toEqual(REFUSED_TO_NOBODY);
      expect(await resolve(representations, admin.accessToken)).toEqual({
        data: null,
        errors: [expect.objectContaining({ path: ['_entities'], extensions: { code: 'BAD_USER_INPUT' } })],
      });
    }
    await expectStillServing(service);
  });

  it.each([null, [null], 'garbage-list'])('refuses what is no list of references: %j', async (representations) => {
    const answer = await resolve(representations, admin.accessToken);
    expect(answer.errors?.map(({ extensions }) => extensions.code)).toEqual(['BAD_USER_INPUT']);
  });

  it.each([
    ['a number', 5],
    ['null', null],
    ['a list', [UNKNOWN_ID]],
    ['a filter', { not: UNKNOWN_ID }],
    ['a NUL', '\0'],
    ['a lone surrogate', '\ud800'],
    ['a prototype', { __proto__: 'x' }],
    ['a very long text', 'x'.repeat(50_000)],
  ])('finds nothing for a key that is %s', async (_, key) => {
    const keys = [
      { __typename: 'User', id: key },
      { __typename: 'User', email: key },
      { __typename: 'Role', id: key },
      { __typename: 'Role', name: key },
    ];
    for (const representation of keys) {
      expect(await resolve([representation], admin.accessToken)).toEqual({ data: { _entities: [null] } });
      expect(await resolve([representation], signedIn.accessToken)).toEqual(refusedWith('FORBIDDEN'));
      expect(await resolve([representation])).toEqual(REFUSED_TO_NOBODY);
    }
  });

  it('is not misled by what else a gateway sends along', async () => {
    const text = `{"__typename":"User","id":"${person.user.id}","then":1,"status":"REVOKED","__proto__":{"id":"x"}}`;
    const answer = await resolve([JSON.parse(text)], signedIn.accessToken);
    expect(answer).toEqual({ data: { _entities: [userOf(person)] } });
  });

  it('logs nothing of all this as a fault of ours', async () => {
    await resolve([5], admin.accessToken);
    expect(service.log.filter((line) => JSON.parse(line).level >= 50)).toEqual([]);
  });

  it.each(['id', 'email'] as const)('finds a hundred users by %s with one statement', async (key) => {
    const people = Array.from({ length: 100 }, (_, index) => ({
      email: `crowd-${key}-${index}@latchkey.test`,
      firstName: 'Ada',
      lastName: String(index),
      createdAt: service.clock.now(),
      updatedAt: service.clock.now(),
    }));
    const users = await service.app.db.user.createManyAndReturn({ data: people });
    const crowd = users.map((user) => ({ __typename: 'User', [key]: user[key] }));
    const expected = users.map((user) => ({ __typename: 'User', id: user.id, email: user.email }));
    const { answer, statements } = await withStatements(() => resolve(crowd, admin.accessToken));
    expect(answer).toEqual({ data: { _entities: expected } });
    // And one for the viewer.
    expect(statements.filter((text) => /"users"/.test(text))).toHaveLength(1);
    expect(statements).toHaveLength(2);
  });

  it.each(['id', 'name'] as const)('finds a hundred roles by %s with one statement', async (key) => {
    const now = service.clock.now();
    const data = Array.from({ length: 100 }, (_, index) => {
      const name = `crew ${key} ${index}`;
      return { name, nameKey: name, createdAt: now, updatedAt: now };
    });
    const roles = await service.app.db.role.createManyAndReturn({ data });
    const references = roles.map((role) => ({ __typename: 'Role', [key]: role[key] }));
    const { answer, statements } = await withStatements(() => resolve(references, admin.accessToken));
    const expected = roles.map(({ id, name }) => ({ __typename: 'Role', id, name }));
    expect(answer).toEqual({ data: { _entities: expected } });
    // And one for the viewer, with those of his own.
    expect(statements).toHaveLength(2);
  });

  it('finds a hundred invitations by id with one statement', async () => {
    const now = service.clock.now();
    const data = Array.from({ length: 100 }, (_, index) => ({
      email: `guest-${index}@latchkey.test`,
      firstName: 'Hedy',
      lastName: String(index),
      expiresAt: now,
      createdAt: now,
      updatedAt: now,
    }));
    const invitations = await service.app.db.invitation.createManyAndReturn({ data });
    const references = invitations.map(({ id }) => ({ __typename: 'Invitation', id }));
    const { answer, statements } = await withStatements(() => resolve(references, admin.accessToken));
    const expected = invitations.map(({ id, email }) => ({ __typename: 'Invitation', id, email }));
    expect(answer).toEqual({ data: { _entities: expected } });
    // And one for the viewer.
    expect(statements).toHaveLength(2);
  });

  it('loads the roles of a hundred users with as many statements as those of one', async () => {
    const users = await service.app.db.user.createManyAndReturn({
      data: Array.from({ length: 100 }, (_, index) => ({
        email: `roles-${index}@latchkey.test`,
        firstName: 'Ada',
        lastName: String(index),
        createdAt: service.clock.now(),
        updatedAt: service.clock.now(),
      })),
    });
    const crowd = users.map(({ id }) => ({ __typename: 'User', id }));
    const selection = '... on User { roles { name } permissions }';
    const one = await withStatements(() => resolve(crowd.slice(0, 1), admin.accessToken, selection));
    const hundred = await withStatements(() => resolve(crowd, admin.accessToken, selection));
    expect(hundred.answer.data?._entities).toHaveLength(100);
    expect(hundred.statements).toHaveLength(one.statements.length);
  });
});

describe('_service', () => {
  it('tells everybody the schema, or gateways could not start', async () => {
    const response = await fetch(`${service.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer garbage' },
      body: JSON.stringify({ query: '{ _service { sdl } }' }),
    });
    const { data, errors } = (await response.json()) as { data: { _service: { sdl: string } }; errors?: unknown };
    expect(errors).toBeUndefined();
    expect(data._service.sdl).toContain('@key(fields: "email")');
  });
});
