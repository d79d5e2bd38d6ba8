import { createServer } from 'node:http';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { GraphQLError, parse } from 'graphql';
import { createYoga, type YogaInitialContext } from 'graphql-yoga';
import { type RunningServer, runServer } from './run-server.ts';
import type { AccessTokenVerifier } from './verify-access-token.ts';

/** A subgraph of somebody else's: posts, whose author is a user of Latchkey. Of users it knows the ids and no more. */
export const neighbourSchema = parse(`
  extend schema
    @link(url: "https://specs.apollo.dev/federation/v2.6", import: ["@authenticated", "@external", "@key", "@requires"])

  type Query {
    posts: [Post!]
  }

  type Mutation {
    writePost(title: String!): Post @authenticated
  }

  type Post @key(fields: "id") {
    id: ID!
    title: String!
    author: User
  }

  type User @key(fields: "id") {
    id: ID!
    posts: [Post!]!
    firstName: String! @external
    lastName: String! @external
    "Made from what Latchkey says, when it says it to whoever asks."
    byline: String @requires(fields: "firstName lastName")
  }
`);

interface Post {
  readonly id: string;
  readonly title: string;
  readonly author: { readonly id: string };
}

interface Named {
  readonly firstName: string;
  readonly lastName: string;
}

/** Keeps its posts in memory. Who writes one is taken from the access token. */
export function startNeighbour({ verify }: AccessTokenVerifier): Promise<RunningServer> {
  const posts: Post[] = [];
  const resolvers = {
    Query: { posts: () => posts },
    Mutation: {
      async writePost(_root: unknown, { title }: { readonly title: string }, context: unknown): Promise<Post> {
        const claims = await verify(authorizationOf(context));
        if (claims?.sub === undefined)
          throw new GraphQLError('Sign in first.', { extensions: { code: 'UNAUTHENTICATED' } });
        const post = { id: String(posts.length + 1), title, author: { id: claims.sub } };
        posts.push(post);
        return post;
      },
    },
    Post: { __resolveReference: ({ id }: Pick<Post, 'id'>) => posts.find((post) => post.id === id) },
    User: {
      __resolveReference: (reference: object) => reference,
      posts: ({ id }: { readonly id: string }) => posts.filter(({ author }) => author.id === id),
      byline: ({ firstName, lastName }: Named) => `by ${firstName} ${lastName}`,
    },
  };
  const schema = buildSubgraphSchema({ typeDefs: neighbourSchema, resolvers });
  const context = ({ request }: YogaInitialContext) => ({ authorization: request.headers.get('authorization') });
  return runServer(createServer(createYoga({ schema, context, logging: false, graphiql: false })));
}

function authorizationOf(context: unknown): string | null {
  const isContext = typeof context === 'object' && context !== null && 'authorization' in context;
  return isContext && typeof context.authorization === 'string' ? context.authorization : null;
}
