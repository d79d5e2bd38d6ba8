import { v7 as newId } from 'uuid';
import { hashPassword } from '../../src/crypto/password-hash.ts';
import type { User } from '../../src/database/generated/client.ts';
import { graphql } from '../gql/gql.ts';
import type { TestService } from './service.ts';

export interface Person {
  readonly user: User;
  readonly password: string;
}

export interface PersonOptions {
  readonly email?: string;
  readonly password?: string | null;
  readonly status?: User['status'];
  readonly emailVerified?: boolean;
  readonly roles?: readonly string[];
}

/** A user in the database, active and verified with the role `user` unless said otherwise. */
export async function createPerson(
  { app }: TestService,
  {
    password = 'seventeen little goats',
    email = `${newId()}@latchkey.test`,
    status = 'ACTIVE',
    emailVerified = true,
    roles = ['user'],
  }: PersonOptions = {},
): Promise<Person> {
  const now = app.now();
  const rows = await app.db.role.findMany({ where: { name: { in: [...roles] } } });
  const user = await app.db.user.create({
    data: {
      email,
      firstName: 'Emmy',
      lastName: 'Noether',
      status,
      emailVerified,
      passwordHash: password === null ? null : await hashPassword(app.config.argon2, password),
      createdAt: now,
      updatedAt: now,
      roles: { create: rows.map((role) => ({ roleId: role.id, createdAt: now })) },
    },
  });
  return { user, password: password ?? '' };
}

const Login = graphql(`
  mutation SignInForTests($input: LoginInput!) {
    login(input: $input) {
      __typename
      ... on AuthPayload {
        accessToken
        refreshToken
        user {
          id
        }
        session {
          id
        }
      }
      ... on Error {
        code
      }
    }
  }
`);

export interface SignedInPerson {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly userId: string;
  readonly sessionId: string;
}

/** Signs in through the API and expects that to work. */
export async function signIn(
  service: TestService,
  credentials: { readonly email: string; readonly password: string },
): Promise<SignedInPerson> {
  const { email, password } = credentials;
  const { data } = await service.execute(Login, { input: { email, password } });
  const result = data?.login;
  if (result?.__typename !== 'AuthPayload') throw new Error(`no sign-in for ${email}: ${JSON.stringify(result)}`);
  const { accessToken, refreshToken, user, session } = result;
  return { accessToken, refreshToken: refreshToken ?? '', userId: user.id, sessionId: session.id };
}
