import { graphql } from '../gql/gql.ts';

export const Users = graphql(`
  query ListsUsers($offset: Int! = 0, $limit: Int! = 20, $filter: UserFilter, $orderBy: UserOrder) {
    users(offset: $offset, limit: $limit, filter: $filter, orderBy: $orderBy) {
      items {
        id
        email
        lastName
        status
      }
      totalCount
      offset
      limit
      hasNextPage
      hasPreviousPage
    }
  }
`);

export const AuditEvents = graphql(`
  query ListsAuditEvents($offset: Int! = 0, $limit: Int! = 20, $filter: AuditEventFilter) {
    auditEvents(offset: $offset, limit: $limit, filter: $filter) {
      items {
        id
        type
        at
        email
        ipAddress
        userAgent
        data
      }
      totalCount
      offset
      limit
      hasNextPage
      hasPreviousPage
    }
  }
`);
