import {
  GraphQLBoolean,
  GraphQLEnumType,
  GraphQLInputObjectType,
  GraphQLInterfaceType,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLSchema,
  GraphQLString,
  GraphQLUnionType,
} from 'graphql';
import type pg from 'pg';
import { verifyPassword } from '../../src/crypto/password-hash.ts';
import type { HashGate } from '../../src/limits/hash-gate.ts';
import { openSession, rotateSession, selectAccount, selectSignedIn } from './session-statements.ts';
import { deriveRefreshToken, readRefreshToken, signAccessToken, verifyAccessToken } from './tokens.ts';

export interface FloorContext {
  readonly pool: pg.Pool;
  readonly hashGate: HashGate;
  readonly authorization: string | null;
}

interface Credentials {
  readonly email: string;
  readonly password: string;
}

const BEARER = 'Bearer ';

const text = { type: new GraphQLNonNull(GraphQLString) };

const CodedError = new GraphQLInterfaceType({ name: 'Error', fields: { code: text } });
const InvalidCredentialsError = new GraphQLObjectType({
  name: 'InvalidCredentialsError',
  interfaces: [CodedError],
  fields: { code: text },
});
const AuthPayload = new GraphQLObjectType({ name: 'AuthPayload', fields: { accessToken: text, refreshToken: text } });
const AuthResult = new GraphQLUnionType({
  name: 'AuthResult',
  types: [AuthPayload, InvalidCredentialsError],
  resolveType: (value: object) => ('accessToken' in value ? 'AuthPayload' : 'InvalidCredentialsError'),
});

const User = new GraphQLObjectType({
  name: 'User',
  fields: {
    id: text,
    email: text,
    firstName: text,
    lastName: text,
    status: { type: new GraphQLNonNull(new GraphQLEnumType({ name: 'UserStatus', values: { ACTIVE: {} } })) },
    emailVerified: { type: new GraphQLNonNull(GraphQLBoolean) },
  },
});

/**
 * The operations that are measured, made by hand with graphql-js, for the service's own clients: the same checks, the
 * same statements for `me` and a refresh, and the fewest that a sign-in can do with.
 */
export const floorSchema = new GraphQLSchema({
  query: new GraphQLObjectType<unknown, FloorContext>({
    name: 'Query',
    fields: { me: { type: User, resolve: (_root, _args, context) => me(context) } },
  }),
  mutation: new GraphQLObjectType<unknown, FloorContext>({
    name: 'Mutation',
    fields: {
      login: {
        type: AuthResult,
        args: { input: { type: inputOf('LoginInput', ['email', 'password']) } },
        resolve: (_root, { input }, context) => login(context, input),
      },
      refreshToken: {
        type: AuthResult,
        args: { input: { type: inputOf('RefreshTokenInput', ['refreshToken']) } },
        resolve: (_root, { input }, context) => refresh(context, input.refreshToken),
      },
    },
  }),
});

function inputOf(name: string, fields: readonly string[]) {
  return new GraphQLNonNull(
    new GraphQLInputObjectType({ name, fields: Object.fromEntries(fields.map((field) => [field, text])) }),
  );
}

async function me({ pool, authorization }: FloorContext) {
  if (!authorization?.startsWith(BEARER)) return null;
  const sessionId = verifyAccessToken(authorization.slice(BEARER.length));
  if (sessionId === null) return null;
  const { userId: id, email, firstName, lastName, emailVerified } = await selectSignedIn(pool, sessionId);
  return { id, email, firstName, lastName, status: 'ACTIVE', emailVerified };
}

async function login({ pool, hashGate }: FloorContext, { email, password }: Credentials) {
  const account = await selectAccount(pool, email);
  const { passwordHash } = account;
  const matches = await hashGate.run(() => verifyPassword(passwordHash, password));
  if (!matches) return { code: 'INVALID_CREDENTIALS' };
  const sessionId = await openSession(pool, account);
  return {
    accessToken: signAccessToken(account.id, sessionId, []),
    refreshToken: deriveRefreshToken({ sessionId, generation: 0 }),
  };
}

async function refresh({ pool }: FloorContext, refreshToken: string) {
  const token = readRefreshToken(refreshToken);
  if (token === null) return { code: 'INVALID_REFRESH_TOKEN' };
  const { sessionId, userId, generation, roles } = await rotateSession(pool, token.sessionId, token.generation);
  return {
    accessToken: signAccessToken(
      userId,
      sessionId,
      roles.map(({ name }) => name),
    ),
    refreshToken: deriveRefreshToken({ sessionId, generation }),
  };
}
