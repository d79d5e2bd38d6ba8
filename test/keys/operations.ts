import { oneTimeTokenOf } from '../../src/tokens/service.ts';
import { graphql } from '../gql/gql.ts';
import type { TestService } from '../support/service.ts';

const Register = graphql(`
  mutation KeysRegister($input: RegisterUserInput!) {
    registerUser(input: $input) {
      __typename
    }
  }
`);

const Verify = graphql(`
  mutation KeysVerify($input: VerifyEmailInput!) {
    verifyEmail(input: $input) {
      __typename
    }
  }
`);

const Refresh = graphql(`
  mutation KeysRefresh($input: RefreshTokenInput!) {
    refreshToken(input: $input) {
      __typename
      ... on AuthPayload {
        accessToken
        refreshToken
      }
      ... on Error {
        code
      }
    }
  }
`);

const Me = graphql(`
  query KeysMe {
    me {
      email
    }
  }
`);

export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
}

/** The next tokens, or the code of the error that was answered. */
export async function refresh(service: TestService, refreshToken: string): Promise<Tokens | string> {
  const { data, errors } = await service.execute(Refresh, { input: { refreshToken } });
  const result = data?.refreshToken;
  if (result?.__typename !== 'AuthPayload') return result?.code ?? JSON.stringify(errors);
  return { accessToken: result.accessToken, refreshToken: result.refreshToken ?? '' };
}

/** The address of whom the access token speaks for; null for nobody. */
export async function whoIs(service: TestService, accessToken: string): Promise<string | null> {
  const { data } = await service.execute(Me, {}, { accessToken });
  return data?.me?.email ?? null;
}

/** Somebody has registered; the token that proves the address, as the mail carries it. */
export async function createUnverified(service: TestService, email: string): Promise<string> {
  const input = { email, password: 'nine crooked lanterns', firstName: 'Grace', lastName: 'Hopper' };
  await service.execute(Register, { input });
  return oneTimeTokenOf(service.app, await service.app.db.oneTimeToken.findFirstOrThrow({ where: { email } }));
}

/** What the API answers to the token. */
export async function verify(service: TestService, token: string): Promise<string | undefined> {
  const { data } = await service.execute(Verify, { input: { token } });
  return data?.verifyEmail?.__typename;
}
