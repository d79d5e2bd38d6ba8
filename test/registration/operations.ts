import { graphql } from '../gql/gql.ts';
import type { RequestOptions, TestService } from '../support/service.ts';

export const Register = graphql(`
  mutation AccountRegister($input: RegisterUserInput!) {
    registerUser(input: $input) {
      __typename
      ... on RegisterUserPayload {
        email
        verificationRequired
        activationRequired
      }
      ... on Error {
        code
        message
      }
      ... on ValidationError {
        fields {
          path
          code
          message
        }
      }
      ... on RateLimitedError {
        retryAfterSeconds
      }
    }
  }
`);

export const VerifyEmail = graphql(`
  mutation AccountVerifyEmail($token: String!) {
    verifyEmail(input: { token: $token }) {
      __typename
      ... on VerifyEmailPayload {
        email
      }
      ... on Error {
        code
        message
      }
      ... on InvalidTokenError {
        reason
      }
      ... on RateLimitedError {
        retryAfterSeconds
      }
    }
  }
`);

export const RequestVerification = graphql(`
  mutation AccountRequestVerification($email: String!) {
    requestEmailVerification(input: { email: $email }) {
      __typename
      ... on AcceptedPayload {
        accepted
      }
      ... on Error {
        code
        message
      }
      ... on RateLimitedError {
        retryAfterSeconds
      }
    }
  }
`);

export const RequestEmailChange = graphql(`
  mutation AccountRequestEmailChange($input: RequestEmailChangeInput!) {
    requestEmailChange(input: $input) {
      __typename
      ... on AcceptedPayload {
        accepted
      }
      ... on Error {
        code
        message
      }
      ... on ValidationError {
        fields {
          path
          code
          message
        }
      }
      ... on RateLimitedError {
        retryAfterSeconds
      }
    }
  }
`);

export const ConfirmEmailChange = graphql(`
  mutation AccountConfirmEmailChange($token: String!) {
    confirmEmailChange(input: { token: $token }) {
      __typename
      ... on UserPayload {
        user {
          id
          email
          emailVerified
          status
        }
      }
      ... on Error {
        code
        message
      }
      ... on InvalidTokenError {
        reason
      }
    }
  }
`);

export const LogIn = graphql(`
  mutation AccountLogIn($email: String!, $password: String!) {
    login(input: { email: $email, password: $password }) {
      __typename
      ... on AuthPayload {
        accessToken
        user {
          id
          email
          emailVerified
          status
          roles {
            name
          }
          permissions
        }
      }
      ... on Error {
        code
        message
      }
      ... on UserInactiveError {
        status
      }
    }
  }
`);

export const PASSWORD = 'seven swans a-swimming by';

export interface Registrant {
  readonly email: string;
  readonly password: string;
  readonly firstName: string;
  readonly lastName: string;
}

/** What somebody types who wants an account. */
export function registrant(email: string, rest: Partial<Registrant> = {}): Registrant {
  return { email, password: PASSWORD, firstName: 'Sofja', lastName: 'Kowalewskaja', ...rest };
}

export async function register(service: TestService, input: Registrant, options: RequestOptions = {}) {
  const { data } = await service.execute(Register, { input }, options);
  return data?.registerUser;
}

export async function verifyEmail(service: TestService, token: string, options: RequestOptions = {}) {
  const { data } = await service.execute(VerifyEmail, { token }, options);
  return data?.verifyEmail;
}

/** What comes after the answer has come to its end, too. */
export async function requestVerification(service: TestService, email: string, options: RequestOptions = {}) {
  const { data } = await service.execute(RequestVerification, { email }, options);
  await service.runJobs();
  return data?.requestEmailVerification;
}

export async function requestEmailChange(
  service: TestService,
  accessToken: string,
  input: { readonly newEmail: string; readonly currentPassword: string },
  options: RequestOptions = {},
) {
  const { data } = await service.execute(RequestEmailChange, { input }, { ...options, accessToken });
  return data?.requestEmailChange;
}

export async function confirmEmailChange(service: TestService, token: string) {
  const { data } = await service.execute(ConfirmEmailChange, { token });
  return data?.confirmEmailChange;
}

export async function logIn(service: TestService, email: string, password = PASSWORD) {
  const { data } = await service.execute(LogIn, { email, password });
  return data?.login;
}

export const invalidCredentials = {
  __typename: 'InvalidCredentialsError',
  code: 'INVALID_CREDENTIALS',
  message: 'The e-mail address or the password is wrong.',
} as const;

export const accepted = { __typename: 'AcceptedPayload', accepted: true } as const;

export function invalidToken(reason: keyof typeof tokenMessages) {
  return { __typename: 'InvalidTokenError', code: 'INVALID_TOKEN', message: tokenMessages[reason], reason } as const;
}

const tokenMessages = {
  NOT_FOUND: 'This link is not valid.',
  EXPIRED: 'This link has expired.',
  ALREADY_USED: 'This link has been used already.',
  REVOKED: 'This link is no longer valid; a newer one may have been sent.',
} as const;

export const emailTaken = {
  __typename: 'EmailTakenError',
  code: 'EMAIL_TAKEN',
  message: 'There is an account with this e-mail address already.',
} as const;

export const registrationClosed = {
  __typename: 'RegistrationClosedError',
  code: 'REGISTRATION_CLOSED',
  message: 'Nobody can register here.',
} as const;
