import { expect } from 'vitest';
import { graphql } from '../gql/gql.ts';

graphql(`
  fragment PeopleUser on User {
    id
    email
    firstName
    lastName
    remark
    status
    emailVerified
    roles {
      name
    }
    permissions
    lastLoginAt
    createdAt
    updatedAt
  }
`);

graphql(`
  fragment PeopleError on Error {
    code
    message
    ... on ValidationError {
      fields {
        path
        code
        message
      }
    }
  }
`);

export const UpdateMe = graphql(`
  mutation PeopleUpdateMe($input: UpdateMeInput!) {
    updateMe(input: $input) {
      __typename
      ... on UserPayload {
        user {
          id
          firstName
          lastName
          updatedAt
        }
      }
      ...PeopleError
    }
  }
`);

export const CreateUser = graphql(`
  mutation PeopleCreateUser($input: CreateUserInput!) {
    createUser(input: $input) {
      __typename
      ... on UserPayload {
        user {
          id
          email
          firstName
          lastName
          status
          emailVerified
          roles {
            name
          }
          permissions
          lastLoginAt
          createdAt
          updatedAt
        }
      }
      ...PeopleError
    }
  }
`);

export const UpdateUser = graphql(`
  mutation PeopleUpdateUser($input: UpdateUserInput!) {
    updateUser(input: $input) {
      __typename
      ... on UserPayload {
        user {
          id
          email
          firstName
          lastName
          status
          emailVerified
          updatedAt
        }
      }
      ...PeopleError
    }
  }
`);

export const DeleteUser = graphql(`
  mutation PeopleDeleteUser($input: UserIdInput!) {
    deleteUser(input: $input) {
      __typename
      ... on DeletedPayload {
        id
      }
      ...PeopleError
    }
  }
`);

export const ActivateUser = graphql(`
  mutation PeopleActivateUser($input: UserIdInput!) {
    activateUser(input: $input) {
      __typename
      ... on UserPayload {
        user {
          id
          status
          updatedAt
        }
      }
      ...PeopleError
    }
  }
`);

export const RevokeUser = graphql(`
  mutation PeopleRevokeUser($input: UserIdInput!) {
    revokeUser(input: $input) {
      __typename
      ... on UserPayload {
        user {
          id
          status
          updatedAt
        }
      }
      ...PeopleError
    }
  }
`);

export const RevokeUserSessions = graphql(`
  mutation PeopleRevokeUserSessions($input: UserIdInput!) {
    revokeUserSessions(input: $input) {
      __typename
      ... on LogoutPayload {
        revokedSessions
      }
      ...PeopleError
    }
  }
`);

export const AssignRole = graphql(`
  mutation PeopleAssignRole($input: UserRoleInput!) {
    assignRole(input: $input) {
      __typename
      ... on UserPayload {
        user {
          id
          roles {
            name
          }
          permissions
        }
      }
      ...PeopleError
    }
  }
`);

export const RevokeRole = graphql(`
  mutation PeopleRevokeRole($input: UserRoleInput!) {
    revokeRole(input: $input) {
      __typename
      ... on UserPayload {
        user {
          id
          roles {
            name
          }
          permissions
        }
      }
      ...PeopleError
    }
  }
`);

export const UserById = graphql(`
  query PeopleUserById($id: ID!) {
    user(id: $id) {
      ...PeopleUser
    }
  }
`);

export const UserByEmail = graphql(`
  query PeopleUserByEmail($email: String!) {
    userByEmail(email: $email) {
      ...PeopleUser
    }
  }
`);

export const IsAuthorized = graphql(`
  query PeopleIsAuthorized($accessToken: String!, $anyRole: [String!], $userId: ID, $email: String) {
    isAuthorized(accessToken: $accessToken, anyRole: $anyRole, userId: $userId, email: $email)
  }
`);

/** What does not exist, whichever kind of thing it is. */
export const UNKNOWN_ID = '019aab12-3456-7abc-8def-0123456789ab';

/** Ids that nothing has, each with a word for it. */
export const unknownIds: readonly (readonly [string, string])[] = [
  ['an unknown id', UNKNOWN_ID],
  ['no id', ''],
  ['a number', '1'],
  ['a forged id', "' OR 1=1 --"],
  ['an id with a NUL', `${UNKNOWN_ID}\0`],
  ['an id of 10 kB', 'x'.repeat(10_000)],
];

export const notFound = {
  __typename: 'NotFoundError',
  code: 'NOT_FOUND',
  message: 'There is no such thing, or it is not yours to see.',
} as const;

export const emailTaken = {
  __typename: 'EmailTakenError',
  code: 'EMAIL_TAKEN',
  message: 'There is an account with this e-mail address already.',
} as const;

export const lastAdministrator = {
  __typename: 'LastAdministratorError',
  code: 'LAST_ADMINISTRATOR',
  message: 'This is the last administrator who can sign in.',
} as const;

/** Refused for these fields alone, each given as its path and its code. */
export function invalid(...fields: readonly (readonly [path: string, code: string])[]): unknown {
  return {
    __typename: 'ValidationError',
    code: 'VALIDATION_FAILED',
    message: 'The input is not valid.',
    fields: fields.map(([path, code]) => ({
      path: path.split('.'),
      code,
      message: expect.stringMatching(/^[A-Z].*\.$/),
    })),
  };
}
