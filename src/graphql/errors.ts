import { GraphQLError } from 'graphql';
import type { Context } from './context.ts';

/** All that anybody outside learns of a fault of ours, besides the id under which the log has its cause. */
export const MASKED_MESSAGE = 'The service failed to do this. It has been recorded.';

/** For fields that need a viewer when there is none. */
export function unauthenticated(): GraphQLError {
  return new GraphQLError('Sign in first: this needs a valid access token.', {
    extensions: { code: 'UNAUTHENTICATED' },
  });
}

/** For a viewer who may not. */
export function forbidden(): GraphQLError {
  return new GraphQLError('You are not permitted to do this.', { extensions: { code: 'FORBIDDEN' } });
}

/** What scope-auth throws when no scope holds. */
export function unauthorizedError(_parent: unknown, context: Context): GraphQLError {
  return context.isAuthenticated() ? forbidden() : unauthenticated();
}
