import { graphql } from '../gql/gql.ts';
import { newestTokenTo } from '../mailbox/reading.ts';
import { register, registrant } from '../registration/operations.ts';
import { signIn } from '../support/people.ts';
import { administrator, type TestService } from '../support/service.ts';

export const RevokeUser = graphql(`
  mutation VerificationRevokeUser($id: ID!) {
    revokeUser(input: { id: $id }) {
      __typename
    }
  }
`);

export const UpdateUser = graphql(`
  mutation VerificationUpdateUser($input: UpdateUserInput!) {
    updateUser(input: $input) {
      __typename
    }
  }
`);

export const DeleteUser = graphql(`
  mutation VerificationDeleteUser($id: ID!) {
    deleteUser(input: { id: $id }) {
      __typename
    }
  }
`);

/** The token that was sent to an address that has just been registered. */
export async function registeredToken(service: TestService, email: string): Promise<string> {
  await register(service, registrant(email));
  return newestTokenTo(service, email);
}

/** For requests that need an administrator. */
export async function asAdministrator(service: TestService): Promise<{ readonly accessToken: string }> {
  const { accessToken } = await signIn(service, administrator);
  return { accessToken };
}
