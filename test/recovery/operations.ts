import { graphql } from '../gql/gql.ts';
import { newestTokenTo } from '../mailbox/reading.ts';
import { createPerson, type Person, type PersonOptions } from '../support/people.ts';
import type { RequestOptions, TestService } from '../support/service.ts';

export const RequestReset = graphql(`
  mutation RecoveryRequest($email: String!) {
    requestPasswordReset(input: { email: $email }) {
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

export const ResetPassword = graphql(`
  mutation RecoveryReset($token: String!, $password: String!) {
    resetPassword(input: { token: $token, password: $password }) {
      __typename
      ... on ResetPasswordPayload {
        email
      }
      ... on Error {
        code
        message
      }
      ... on InvalidTokenError {
        reason
      }
      ... on ValidationError {
        fields {
          path
          code
        }
      }
      ... on UserInactiveError {
        status
      }
      ... on RateLimitedError {
        retryAfterSeconds
      }
    }
  }
`);

export const Preview = graphql(`
  query RecoveryPreview($token: String!) {
    passwordResetByToken(token: $token) {
      maskedEmail
      expiresAt
    }
  }
`);

export const ActivateUser = graphql(`
  mutation RecoveryActivateUser($id: ID!) {
    activateUser(input: { id: $id }) {
      __typename
    }
  }
`);

export const NEW_PASSWORD = 'eighteen little goats and a wolf';

/** What comes after the answer has come to its end, too. */
export async function requestReset(service: TestService, email: string, options: RequestOptions = {}) {
  const { data } = await service.execute(RequestReset, { email }, options);
  await finishJobs(service);
  return data?.requestPasswordReset;
}

/** What was asked for is done. */
export async function finishJobs(service: TestService): Promise<void> {
  await service.runJobs();
}

export async function resetPassword(
  service: TestService,
  token: string,
  password = NEW_PASSWORD,
  options: RequestOptions = {},
) {
  const { data } = await service.execute(ResetPassword, { token, password }, options);
  return data?.resetPassword;
}

/** What the page behind the link is told. */
export async function preview(service: TestService, token: string) {
  const { data, errors } = await service.execute(Preview, { token });
  if (errors.length > 0) throw new Error(JSON.stringify(errors));
  return data?.passwordResetByToken;
}

/** A new link for somebody, as their mail has it. */
export async function resetTokenFor(service: TestService, email: string): Promise<string> {
  await requestReset(service, email);
  return newestTokenTo(service, email);
}

export interface Forgetful extends Person {
  /** With which a new password can be chosen. */
  readonly token: string;
}

/** Somebody who has asked for a new password and got the mail. */
export async function forgetful(service: TestService, options: PersonOptions = {}): Promise<Forgetful> {
  const person = await createPerson(service, options);
  return { ...person, token: await resetTokenFor(service, person.user.email) };
}

export function passwordReset(email: string) {
  return { __typename: 'ResetPasswordPayload', email } as const;
}

export function userInactive(status: keyof typeof statusMessages) {
  return { __typename: 'UserInactiveError', code: 'USER_INACTIVE', message: statusMessages[status], status } as const;
}

const statusMessages = {
  PENDING: 'The account waits for its activation.',
  REVOKED: 'The account has been revoked.',
} as const;
