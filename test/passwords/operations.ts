import { graphql } from '../gql/gql.ts';

export const ChangePassword = graphql(`
  mutation PasswordsChange($input: ChangePasswordInput!) {
    changePassword(input: $input) {
      __typename
      ... on ChangePasswordPayload {
        revokedSessions
      }
      ... on ValidationError {
        fields {
          path
          code
        }
      }
      ... on Error {
        code
      }
    }
  }
`);
