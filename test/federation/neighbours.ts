import { createServer } from 'node:http';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { parse } from 'graphql';
import { createYoga } from 'graphql-yoga';
import { type RunningServer, runServer } from '../../examples/gateway/run-server.ts';

/** A neighbour that knows users by their addresses and roles by their names. */
export const mailingListSchema = parse(`
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.6", import: ["@key", "@shareable", "@tag"])

  scalar EmailAddress

  type Query {
    subscribers: [User]
  }

  type User @key(fields: "email") {
    email: EmailAddress!
    subscriptions: [String!]!
  }

  type Role @key(fields: "name") {
    name: String!
    quota: Int!
  }

  union SubscribeResult = NotFoundError | ValidationError

  interface Error {
    code: String!
    message: String!
  }

  type NotFoundError implements Error @shareable {
    code: String!
    message: String!
  }

  type FieldError @shareable {
    path: [String!]!
    code: String!
    message: String!
  }

  type ValidationError implements Error @shareable {
    code: String!
    message: String!
    fields: [FieldError!]!
  }

  type Mutation {
    subscribe(list: String!): SubscribeResult
  }
`);

export function startMailingList(addresses: () => readonly string[]): Promise<RunningServer> {
  const resolvers = {
    Query: { subscribers: () => addresses().map((email) => ({ email })) },
    User: {
      __resolveReference: (reference: object) => reference,
      subscriptions: ({ email }: { readonly email: string }) => [`news for ${email}`],
    },
    Role: {
      __resolveReference: (reference: object) => reference,
      quota: ({ name }: { readonly name: string }) => name.length,
    },
    Mutation: {
      subscribe: () => ({ __typename: 'NotFoundError', code: 'NOT_FOUND', message: 'There is no such list.' }),
    },
  };
  const schema = buildSubgraphSchema({ typeDefs: mailingListSchema, resolvers });
  return runServer(createServer(createYoga({ schema, logging: false, graphiql: false })));
}
