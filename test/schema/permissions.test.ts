import { isObjectType } from 'graphql';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { buildSchema } from '../../src/schema.ts';
import { createPerson, type Person, signIn } from '../support/people.ts';
import { administrator, startTestService, type TestService } from '../support/service.ts';
import { fullSelectionsOf } from './full-selection.ts';
import { type RootField, rootFieldsOf } from './root-fields.ts';

/** What needs no access token. */
const PUBLIC = [
  'Query._service',
  'Query.invitationByToken',
  'Query.isAuthorized',
  'Query.passwordResetByToken',
  'Query.viewer',
  'Mutation.acceptInvitation',
  'Mutation.confirmEmailChange',
  'Mutation.login',
  'Mutation.loginWithOAuth',
  'Mutation.logout',
  'Mutation.refreshToken',
  'Mutation.registerUser',
  'Mutation.requestEmailVerification',
  'Mutation.requestPasswordReset',
  'Mutation.resetPassword',
  'Mutation.verifyEmail',
];

/** What needs one, and nothing more: it is about the viewer alone. */
const FOR_EVERY_USER = [
  'Query.me',
  'Mutation.changePassword',
  'Mutation.linkIdentity',
  'Mutation.logoutEverywhere',
  'Mutation.requestEmailChange',
  'Mutation.revokeSession',
  'Mutation.unlinkIdentity',
  'Mutation.updateMe',
];

/** What needs one, and is then decided reference by reference. */
const REFERENCES = 'Query._entities';

/** What a user may not even read of himself. */
const REFUSED_TO_ONESELF = ['User.remark'];

/** Types without a guard of their own: they hold nothing but what the field that gives them has just done. */
const UNGUARDED = [
  'AcceptedPayload',
  'AuditEventPage',
  'AuthPayload',
  'ChangePasswordPayload',
  'DeletedPayload',
  'EmailNotVerifiedError',
  'EmailTakenError',
  'FieldError',
  'FreshLoginRequiredError',
  'IdentityPayload',
  'IdentityTakenError',
  'InvalidCredentialsError',
  'InvalidIdTokenError',
  'InvalidRefreshTokenError',
  'InvalidTokenError',
  'InvitationNotPendingError',
  'InvitationPage',
  'InvitationPayload',
  'InvitationPendingError',
  'InvitationPreview',
  'LastAdministratorError',
  'LastSignInMethodError',
  'LogoutPayload',
  'NotFoundError',
  'PasswordResetPreview',
  'RateLimitedError',
  'RegisterUserPayload',
  'RegistrationClosedError',
  'ResetPasswordPayload',
  'RoleAlreadyAssignedError',
  'RoleInUseError',
  'RoleNameTakenError',
  'RoleNotAssignedError',
  'RolePage',
  'RolePayload',
  'UnknownProviderError',
  'UserInactiveError',
  'UserPage',
  'UserPayload',
  'ValidationError',
  'VerifyEmailPayload',
  '_Service',
];

const schema = buildSchema({ federation: true });
const rootFields = rootFieldsOf(schema);
const walks = rootFields.flatMap((rootField) =>
  fullSelectionsOf(schema, rootField.field.type).map((selection, index, { length }) => ({
    name: length === 1 ? rootField.name : `${rootField.name}, member ${index + 1} of ${length}`,
    rootField,
    operation: rootField.operation(selection),
  })),
);
const objectTypes = Object.values(schema.getTypeMap()).filter(
  (type) => isObjectType(type) && !type.name.startsWith('__'),
);
const guarded = objectTypes.filter((type) => pothosOptionsOf(type).authScopes !== undefined).map(({ name }) => name);

const resolve = `query ($representations: [_Any!]!) {
  _entities(representations: $representations) { ... on User { ${selectionOf('User')} } }
}`;
const logIn = `mutation ($input: LoginInput!) { login(input: $input) { ... on AuthPayload { ${selectionOf('AuthPayload')} } } }`;

interface GraphqlError {
  readonly path?: readonly (string | number)[];
  readonly extensions: { readonly code: string };
}

interface Answer {
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly errors?: readonly GraphqlError[];
}

let service: TestService;

beforeAll(async () => {
  service = await startTestService();
});

afterAll(() => service.close());

async function run(operation: string, variables: unknown, accessToken?: string): Promise<Answer> {
  const response = await fetch(`${service.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(accessToken !== undefined && { authorization: `Bearer ${accessToken}` }),
    },
    body: JSON.stringify({ query: operation, variables }),
  });
  return (await response.json()) as Answer;
}

/** The whole field and nothing else, with this code. */
function refusedWith(code: string, { field }: RootField): Answer {
  return {
    data: String(field.type).endsWith('!') ? null : { [field.name]: null },
    errors: [expect.objectContaining({ path: [field.name], extensions: { code } })],
  };
}

describe('the lists of this file', () => {
  it('name root fields that there are', () => {
    const names = rootFields.map(({ name }) => name);
    for (const listed of [...PUBLIC, ...FOR_EVERY_USER, REFERENCES]) expect(names).toContain(listed);
  });

  it('have every type that does not guard itself', () => {
    expect(objectTypes.map(({ name }) => name).filter((name) => !guarded.includes(name))).toEqual(UNGUARDED);
  });

  it('have every root field that opts out of the guard of its type', () => {
    const optedOut = rootFields.filter(({ field }) => pothosOptionsOf(field).skipTypeScopes === true);
    // Federation's own fields stand on the root type past the builder.
    expect(['Query._service', ...optedOut.map(({ name }) => name)].toSorted()).toEqual(PUBLIC.toSorted());
  });

  it('leave no entity and no root type without a guard', () => {
    expect(guarded).toEqual(expect.arrayContaining(['Query', 'Mutation']));
    const entities = objectTypes.filter(({ extensions }) =>
      JSON.stringify(extensions.directives ?? []).includes('"key"'),
    );
    expect(entities.map(({ name }) => name)).toEqual(['Invitation', 'Role', 'User']);
    for (const { name } of entities) expect(guarded).toContain(name);
  });
});

describe('nobody', () => {
  const [open, closed] = partition(walks, ({ rootField }) => PUBLIC.includes(rootField.name));

  it.each(closed)('gets UNAUTHENTICATED from $name', async ({ operation, rootField }) => {
    for (const accessToken of [undefined, 'garbage']) {
      expect(await run(operation, rootField.variables, accessToken)).toEqual(refusedWith('UNAUTHENTICATED', rootField));
    }
  });

  it.each(open)('is answered by $name, and sees nothing that guards itself', async ({ operation, rootField }) => {
    const answer = await run(operation, rootField.variables);
    expect(answer.data).toHaveProperty(rootField.field.name);
    expect(typeNamesIn(answer.data).filter((name) => guarded.includes(name))).toEqual([]);
    expect(answer.errors).toBeUndefined();
  });
});

describe('a user without any permission', () => {
  let person: Person;
  let accessToken: string;

  beforeAll(async () => {
    person = await createPerson(service);
  });

  // Anew, since some operations sign out.
  beforeEach(async () => {
    ({ accessToken } = await signIn(service, { email: person.user.email, password: person.password }));
  });

  const [open, closed] = partition(walks, ({ rootField }) => [...PUBLIC, ...FOR_EVERY_USER].includes(rootField.name));

  it.each(closed)('gets FORBIDDEN from $name for what is not his', async ({ operation, rootField }) => {
    const answer = await run(operation, rootField.variables, accessToken);
    expect(answer.errors?.map(({ extensions }) => extensions.code)).toEqual(['FORBIDDEN']);
    expect(typeNamesIn(answer.data)).toEqual([]);
  });

  it.each(open)(
    'is answered by $name in every field but those that are refused to oneself',
    async ({ operation, rootField }) => {
      const { data, errors = [] } = await run(operation, rootField.variables, accessToken);
      expect(data).toHaveProperty(rootField.field.name);
      for (const { path = [], extensions } of errors) {
        expect([coordinateOf(data, path), extensions.code]).toEqual([
          expect.toBeOneOf(REFUSED_TO_ONESELF),
          'FORBIDDEN',
        ]);
      }
    },
  );

  const paths: readonly (readonly [string, () => readonly [string, object]])[] = [
    ['me', () => [`{ me { ${selectionOf('User')} } }`, {}]],
    ['viewer', () => [`{ viewer { ${selectionOf('User')} } }`, {}]],
    ['a login', () => [logIn, { input: { email: person.user.email, password: person.password } }]],
    ['a reference by id', () => [resolve, { representations: [{ __typename: 'User', id: person.user.id }] }]],
    ['a reference by e-mail', () => [resolve, { representations: [{ __typename: 'User', email: person.user.email }] }]],
  ];

  it.each(paths)('sees all of himself but what is refused to oneself: through %s', async (_, operationOf) => {
    const { data, errors = [] } = await run(...operationOf(), accessToken);
    expect(typeNamesIn(data)).toEqual(expect.arrayContaining(['User', 'Role', 'Session']));
    expect(errors.map(({ path = [] }) => coordinateOf(data, path))).toEqual(REFUSED_TO_ONESELF);
    expect(errors.map(({ extensions }) => extensions.code)).toEqual(REFUSED_TO_ONESELF.map(() => 'FORBIDDEN'));
  });
});

describe('an administrator', () => {
  let accessToken: string;
  let person: Person;

  beforeAll(async () => {
    person = await createPerson(service);
    await signIn(service, { email: person.user.email, password: person.password });
  });

  beforeEach(async () => {
    ({ accessToken } = await signIn(service, administrator));
  });

  it.each(walks)('is refused nothing by $name', async ({ operation, rootField }) => {
    const { data, errors } = await run(operation, rootField.variables, accessToken);
    expect(data).toHaveProperty(rootField.field.name);
    expect(errors).toBeUndefined();
  });

  it('sees all of somebody else, sessions included', async () => {
    const representations = [{ __typename: 'User', id: person.user.id }];
    const { data, errors } = await run(resolve, { representations }, accessToken);
    expect(errors).toBeUndefined();
    expect(typeNamesIn(data)).toEqual(['User', 'Role', 'Session']);
  });
});

function selectionOf(typeName: string): string {
  const type = schema.getType(typeName);
  if (!isObjectType(type)) throw new Error(`${typeName} is no object type`);
  return fullSelectionsOf(schema, type).join(' ');
}

/** As the field was declared to the builder. */
function pothosOptionsOf({ extensions }: { readonly extensions: object }): Readonly<Record<string, unknown>> {
  return 'pothosOptions' in extensions && typeof extensions.pothosOptions === 'object'
    ? { ...extensions.pothosOptions }
    : {};
}

/** Of every object in the answer, without repetition, from the outside to the inside. */
function typeNamesIn(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = '__typename' in value && typeof value.__typename === 'string' ? [value.__typename] : [];
  return [...new Set([...own, ...Object.values(value).flatMap(typeNamesIn)])];
}

/** The type and field that the path of an error leads to. */
function coordinateOf(data: unknown, path: readonly (string | number)[]): string {
  const parent = path.slice(0, -1).reduce<unknown>((value, step) => Reflect.get(Object(value), step), data);
  return `${Reflect.get(Object(parent), '__typename')}.${path.at(-1)}`;
}

function partition<T>(items: readonly T[], isFirst: (item: T) => boolean): readonly [readonly T[], readonly T[]] {
  return [items.filter(isFirst), items.filter((item) => !isFirst(item))];
}
