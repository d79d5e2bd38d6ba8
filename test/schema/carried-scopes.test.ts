import { readFileSync } from 'node:fs';
import {
  type ConstDirectiveNode,
  type FieldDefinitionNode,
  Kind,
  parse,
  print,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Permission, permissions } from '../../src/auth/permissions.ts';
import { buildSchema } from '../../src/schema.ts';
import { createPerson, signIn } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { fullSelectionsOf } from './full-selection.ts';
import { type RootField, rootFieldsOf } from './root-fields.ts';

const types = parse(readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8')).definitions.flatMap(
  (node) => (node.kind === Kind.OBJECT_TYPE_DEFINITION ? [node] : []),
);
/** What the subgraph schema says of each field, by `Type.field`. */
const directives = new Map(
  types.flatMap((type) =>
    (type.fields ?? []).map((field) => [`${type.name.value}.${field.name.value}`, wordsOf(field)]),
  ),
);

const AUTHORIZATION = /^@(?:authenticated|requiresScopes)/;
const schema = buildSchema({ federation: true });
const rootFields = rootFieldsOf(schema).filter(({ name }) => directives.has(name));
const unguarded = rootFields.filter(({ name }) => authorizationOf(name) === '');
const forSignedIn = rootFields.filter(({ name }) => authorizationOf(name) === '@authenticated');
const forPermission = rootFields.flatMap((rootField) => {
  const [, permission] = /^@requiresScopes\(scopes: \[\["([A-Z_]+)"\]\]\)$/.exec(authorizationOf(rootField.name)) ?? [];
  return permission === undefined ? [] : [{ name: rootField.name, rootField, permission }];
});

let service: TestService;
/** Who holds this permission and no other, and who holds every other. */
let holders: ReadonlyMap<string, { readonly alone: string; readonly others: string }>;

beforeAll(async () => {
  service = await startTestService();
  const needed = permissions.filter((permission) => forPermission.some((each) => each.permission === permission));
  holders = new Map(
    await Promise.all(
      needed.map(async (permission) => {
        const others = permissions.filter((other) => other !== permission);
        const both = { alone: await tokenWith([permission]), others: await tokenWith(others) };
        return [permission, both] as const;
      }),
    ),
  );
});

afterAll(() => service.close());

describe('the subgraph schema', () => {
  it('carries a scope wherever there is one, and on fields only', () => {
    expect(unguarded.length + forSignedIn.length + forPermission.length).toBe(rootFields.length);
    expect(
      types.flatMap((type) => (type.directives ?? []).map(wordOf)).filter((word) => AUTHORIZATION.test(word)),
    ).toEqual([]);
    expect(Object.fromEntries(directives)).toMatchObject({
      'Mutation.login': ['@tag(name: "public")'],
      'Query.viewer': ['@tag(name: "public")'],
      'Query.me': ['@authenticated', '@tag(name: "public")'],
      'Query.user': ['@authenticated', '@tag(name: "public")'],
      'Query.users': ['@requiresScopes(scopes: [["USERS_READ"]])', '@tag(name: "admin")'],
      'Mutation.deleteUser': ['@requiresScopes(scopes: [["USERS_WRITE"]])', '@tag(name: "admin")'],
      'AuditEvent.type': ['@requiresScopes(scopes: [["AUDIT_READ"]])'],
      'AuditEvent.actor': ['@requiresScopes(scopes: [["AUDIT_READ"]])'],
      'User.email': [],
      'User.remark': ['@tag(name: "admin")'],
      'User.sessions': [],
      'Role.name': [],
    });
  });

  it.each(unguarded)('lets a router blank nothing of the answer of $name, which is public', ({ field, operation }) => {
    const blanked = fullSelectionsOf(schema, field.type).flatMap((selection) =>
      coordinatesIn(operation(selection)).filter((coordinate) => authorizationOf(coordinate) !== ''),
    );
    expect(blanked).toEqual([]);
  });

  it('has a login that goes as deep as the user, the sessions and the permissions of roles', () => {
    const login = unguarded.find(({ name }) => name === 'Mutation.login') ?? expect.unreachable();
    const reached = fullSelectionsOf(schema, login.field.type);
    expect(reached.flatMap((selection) => coordinatesIn(login.operation(selection)))).toEqual(
      expect.arrayContaining([
        'AuthPayload.user',
        'User.remark',
        'User.sessions',
        'Session.ipAddress',
        'Role.permissions',
      ]),
    );
  });
});

describe('the service says the same as the schema', () => {
  it.each(unguarded)('nobody is let in: $name', async (rootField) => {
    expect(await codesOf(rootField)).toEqual([]);
  });

  it.each([...forSignedIn, ...forPermission.map(({ rootField }) => rootField)])(
    'nobody is refused: $name',
    async (rootField) => {
      expect(await codesOf(rootField)).toEqual(['UNAUTHENTICATED']);
    },
  );

  it.each(forPermission)('who holds all but $permission is refused: $name', async ({ rootField, permission }) => {
    expect(await codesOf(rootField, holders.get(permission)?.others)).toEqual(['FORBIDDEN']);
  });

  it.each(forPermission)('who holds $permission alone is let in: $name', async ({ rootField, permission }) => {
    // Nobody can give what he does not hold.
    const variables = JSON.parse(JSON.stringify(rootField.variables), (key, value) =>
      key === 'permissions' ? [permission] : value,
    );
    expect(await codesOf({ ...rootField, variables }, holders.get(permission)?.alone)).not.toContain('FORBIDDEN');
  });
});

/** The codes of what was refused of the field, asked for as little as can be. */
async function codesOf({ operation, variables }: RootField, accessToken?: string): Promise<readonly string[]> {
  const response = await fetch(`${service.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(accessToken !== undefined && { authorization: `Bearer ${accessToken}` }),
    },
    body: JSON.stringify({ query: operation(), variables }),
  });
  const { errors = [] } = (await response.json()) as { errors?: { extensions: { code: string } }[] };
  return errors.map(({ extensions }) => extensions.code);
}

async function tokenWith(held: readonly Permission[]): Promise<string> {
  const now = service.app.now();
  const name = held.join(' ');
  await service.app.db.role.create({
    data: { name, nameKey: name, permissions: [...held], createdAt: now, updatedAt: now },
  });
  const person = await createPerson(service, { roles: ['user', name] });
  return (await signIn(service, { email: person.user.email, password: person.password })).accessToken;
}

function authorizationOf(coordinate: string): string {
  return (directives.get(coordinate) ?? []).filter((word) => AUTHORIZATION.test(word)).join(' ');
}

/** Every `Type.field` that the operation names. */
function coordinatesIn(operation: string): readonly string[] {
  const info = new TypeInfo(schema);
  const coordinates: string[] = [];
  visit(
    parse(operation),
    visitWithTypeInfo(info, {
      Field: ({ name }) => {
        coordinates.push(`${info.getParentType()}.${name.value}`);
      },
    }),
  );
  return coordinates;
}

function wordsOf({ directives: nodes = [] }: FieldDefinitionNode): readonly string[] {
  return nodes.map(wordOf);
}

function wordOf(node: ConstDirectiveNode): string {
  const given = (node.arguments ?? []).map((argument) => `${argument.name.value}: ${print(argument.value)}`);
  return `@${node.name.value}${given.length === 0 ? '' : `(${given.join(', ')})`}`;
}
