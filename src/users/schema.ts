import { builder } from '../graphql/builder.ts';
import { unauthenticated } from '../graphql/errors.ts';
import { UserObject } from './types.ts';

// Not `prismaField`: the viewer's row is at hand, and what it lacks is loaded when it is asked for.
builder.queryFields((t) => ({
  me: t.field({
    type: UserObject,
    nullable: true,
    description: 'The signed-in user. Without a valid access token: UNAUTHENTICATED.',
    resolve: async (_root, _args, context) => (await context.viewer())?.user ?? null,
  }),
  viewer: t.field({
    type: UserObject,
    nullable: true,
    skipTypeScopes: true,
    description: 'The signed-in user, or null when no access token was sent. With a bad one: UNAUTHENTICATED.',
    resolve: async (_root, _args, context) => {
      if (context.bearer === null) return null;
      const viewer = await context.viewer();
      if (viewer === null) throw unauthenticated();
      return viewer.user;
    },
  }),
}));
