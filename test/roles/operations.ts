import { graphql } from '../gql/gql.ts';

graphql(`
  fragment RolesRole on Role {
    id
    name
    description
    permissions
    builtIn
    createdAt
    updatedAt
  }
`);

export const CreateRole = graphql(`
  mutation RolesCreate($input: CreateRoleInput!) {
    createRole(input: $input) {
      __typename
      ... on RolePayload {
        role {
          ...RolesRole
        }
      }
      ...PeopleError
    }
  }
`);

export const UpdateRole = graphql(`
  mutation RolesUpdate($input: UpdateRoleInput!) {
    updateRole(input: $input) {
      __typename
      ... on RolePayload {
        role {
          ...RolesRole
        }
      }
      ...PeopleError
    }
  }
`);

export const DeleteRole = graphql(`
  mutation RolesDelete($input: DeleteRoleInput!) {
    deleteRole(input: $input) {
      __typename
      ... on DeletedPayload {
        id
      }
      ...PeopleError
      ... on RoleInUseError {
        userCount
      }
    }
  }
`);

export const RoleById = graphql(`
  query RolesById($id: ID!) {
    role(id: $id) {
      ...RolesRole
    }
  }
`);

export const RoleByName = graphql(`
  query RolesByName($name: String!) {
    roleByName(name: $name) {
      ...RolesRole
    }
  }
`);

export const Roles = graphql(`
  query RolesPage($offset: Int! = 0, $limit: Int! = 20) {
    roles(offset: $offset, limit: $limit) {
      items {
        ...RolesRole
      }
      totalCount
      offset
      limit
      hasNextPage
      hasPreviousPage
    }
  }
`);

export const roleNameTaken = {
  __typename: 'RoleNameTakenError',
  code: 'ROLE_NAME_TAKEN',
  message: 'There is a role with this name already.',
} as const;

export function roleInUse(userCount: number): unknown {
  return { __typename: 'RoleInUseError', code: 'ROLE_IN_USE', message: 'Users hold this role.', userCount };
}
