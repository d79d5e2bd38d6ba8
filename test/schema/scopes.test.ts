import { graphql as execute } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builder } from '../../src/graphql/builder.ts';
import { type Context, createContext } from '../../src/graphql/context.ts';
import { buildSchema } from '../../src/schema.ts';
import { createPerson, type Person, signIn } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';

// Fields of this test's own, on the real builder: whatever it asks the scopes goes through the loader of the service.
const EDITOR = { name: 'Editor', permissions: ['USERS_READ'] };
const answer = { nullable: true, resolve: () => 'answered' } as const;
builder.queryFields((t) => ({
  withoutAWord: t.string(answer),
  authenticated: t.string({ ...answer, authScopes: { authenticated: true } }),
  roleUser: t.string({ ...answer, authScopes: { role: 'user' } }),
  roleEditor: t.string({ ...answer, authScopes: { role: EDITOR.name } }),
  roleEditorInCapitals: t.string({ ...answer, authScopes: { role: 'EDITOR' } }),
  permissionHeld: t.string({ ...answer, authScopes: { permission: 'USERS_READ' } }),
  permissionNotHeld: t.string({ ...answer, authScopes: { permission: 'USERS_WRITE' } }),
  withId: t.string({
    ...answer,
    args: { id: t.arg.string({ required: true }) },
    authScopes: (_root, { id }) => ({ user: id }),
  }),
  email: t.string({
    ...answer,
    args: { email: t.arg.string({ required: true }) },
    authScopes: (_root, { email }) => ({ email }),
  }),
  either: t.string({ ...answer, authScopes: { role: 'nobody', permission: 'USERS_READ' } }),
  both: t.string({ ...answer, authScopes: { $all: { role: EDITOR.name, permission: 'USERS_WRITE' } } }),
}));
builder.mutationFields((t) => ({ withoutAWord: t.string(answer) }));
const schema = buildSchema({ federation: false });

let service: TestService;
let plain: Person;
let editor: Person;
let contextOf: (person: Person | null) => Promise<Context>;

beforeAll(async () => {
  service = await startTestService();
  const { app } = service;
  const now = app.now();
  await app.db.role.create({
    data: { ...EDITOR, nameKey: 'editor', description: '', createdAt: now, updatedAt: now },
  });
  plain = await createPerson(service);
  editor = await createPerson(service, { email: 'grete@xn--bcher-kva.example', roles: ['user', EDITOR.name] });
  contextOf = async (person) => {
    const signedIn = person && (await signIn(service, { email: person.user.email, password: person.password }));
    return createContext({
      app,
      hookRequest: {
        id: 'scopes',
        client: { ipAddress: null, userAgent: null, requestId: null },
        signal: new AbortController().signal,
      },
      bearer: signedIn?.accessToken ?? null,
      refreshCookie: { token: null, set: () => {}, clear: () => {} },
      hintRetryAfter: () => {},
    });
  };
});

afterAll(() => service.close());

async function run(person: Person | null, source: string): Promise<unknown> {
  const { data, errors } = await execute({ schema, source, contextValue: await contextOf(person) });
  return errors === undefined ? data : errors.map(({ extensions }) => extensions.code);
}

const ANSWERED = { it: 'answered' };
const FORBIDDEN = ['FORBIDDEN'];
const UNAUTHENTICATED = ['UNAUTHENTICATED'];

describe('a scope', () => {
  const cases: readonly (readonly [string, () => string, unknown, unknown])[] = [
    ['nothing said: signed in', () => '{ it: withoutAWord }', ANSWERED, ANSWERED],
    ['nothing said of a mutation: signed in', () => 'mutation { it: withoutAWord }', ANSWERED, ANSWERED],
    ['authenticated', () => '{ it: authenticated }', ANSWERED, ANSWERED],
    ['a role of everybody', () => '{ it: roleUser }', ANSWERED, ANSWERED],
    ['a role', () => '{ it: roleEditor }', FORBIDDEN, ANSWERED],
    ['a role in other letters than its name', () => '{ it: roleEditorInCapitals }', FORBIDDEN, ANSWERED],
    ['a permission', () => '{ it: permissionHeld }', FORBIDDEN, ANSWERED],
    ['a permission that neither holds', () => '{ it: permissionNotHeld }', FORBIDDEN, FORBIDDEN],
    ['the id of the editor', () => `{ it: withId(id: "${editor.user.id}") }`, FORBIDDEN, ANSWERED],
    ['the id of the other', () => `{ it: withId(id: "${plain.user.id}") }`, ANSWERED, FORBIDDEN],
    ['no id', () => '{ it: withId(id: "") }', FORBIDDEN, FORBIDDEN],
    ['the address of the editor', () => '{ it: email(email: "grete@xn--bcher-kva.example") }', FORBIDDEN, ANSWERED],
    [
      'the address as people write it',
      () => '{ it: email(email: " Grete@B\u00dcCHER.example ") }',
      FORBIDDEN,
      ANSWERED,
    ],
    ['the address of somebody else', () => `{ it: email(email: "${plain.user.email}") }`, ANSWERED, FORBIDDEN],
    ['an address that is none', () => '{ it: email(email: "nobody") }', FORBIDDEN, FORBIDDEN],
    ['no address', () => '{ it: email(email: "") }', FORBIDDEN, FORBIDDEN],
    ['one of two', () => '{ it: either }', FORBIDDEN, ANSWERED],
    ['both of two', () => '{ it: both }', FORBIDDEN, FORBIDDEN],
  ];

  it.each(cases)('of %s', async (_, operation, forPlain, forEditor) => {
    expect(await run(null, operation())).toEqual(UNAUTHENTICATED);
    expect(await run(plain, operation())).toEqual(forPlain);
    expect(await run(editor, operation())).toEqual(forEditor);
  });

  it('is about the viewer as the database knows him at this request, whatever his token says', async () => {
    const context = await contextOf(editor);
    const source = '{ it: roleEditor }';
    const role = await service.app.db.role.findUniqueOrThrow({ where: { nameKey: 'editor' } });
    const held = { userId_roleId: { userId: editor.user.id, roleId: role.id } };
    await service.app.db.userRole.delete({ where: held });
    try {
      const { errors } = await execute({ schema, source, contextValue: context });
      expect(errors?.map(({ extensions }) => extensions.code)).toEqual(FORBIDDEN);
    } finally {
      await service.app.db.userRole.create({
        data: { userId: editor.user.id, roleId: role.id, createdAt: service.clock.now() },
      });
    }
  });

  it('refuses each field by itself, so that one refusal blanks no sibling', async () => {
    const source = '{ refused: permissionNotHeld it: withoutAWord }';
    const { data, errors } = await execute({ schema, source, contextValue: await contextOf(plain) });
    expect(data).toEqual({ refused: null, it: 'answered' });
    expect(errors?.map(({ path, extensions }) => [path, extensions.code])).toEqual([[['refused'], 'FORBIDDEN']]);
  });
});
