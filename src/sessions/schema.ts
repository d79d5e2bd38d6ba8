import { NotFoundError, RateLimitedError } from '../errors.ts';
import { builder } from '../graphql/builder.ts';
import { unauthenticated } from '../graphql/errors.ts';
import { ONCE_PER_OPERATION } from '../graphql/once-per-operation.ts';
import { logOut, logOutEverywhere, revokeSession } from './end.ts';
import {
  EmailNotVerifiedError,
  InvalidCredentialsError,
  InvalidRefreshTokenError,
  UserInactiveError,
} from './errors.ts';
import { logIn } from './log-in.ts';
import { refresh } from './refresh.ts';
import { AuthPayloadObject, answerSignedIn, LogoutPayloadObject, RefreshTokenTransport } from './types.ts';

const LoginInput = builder.inputType('LoginInput', {
  description: 'Credentials.',
  fields: (t) => ({
    email: t.string({ required: true, description: 'The address, in whatever case it is written.' }),
    password: t.string({ required: true, description: 'The password, at most 256 code points.' }),
    refreshTokenTransport: t.field({
      type: RefreshTokenTransport,
      required: true,
      defaultValue: 'BODY',
      description: 'How the refresh token shall travel.',
    }),
  }),
});

const RefreshTokenInput = builder.inputType('RefreshTokenInput', {
  description: 'The refresh token to trade.',
  fields: (t) => ({
    refreshToken: t.string({ description: 'Absent: it is taken from the cookie, and the next one goes there too.' }),
  }),
});

const LogoutInput = builder.inputType('LogoutInput', {
  description: 'The session to end.',
  fields: (t) => ({
    refreshToken: t.string({
      description:
        'A refresh token of the session. Absent: the one in the cookie, else the session of the access token.',
    }),
  }),
});

const RevokeSessionInput = builder.inputType('RevokeSessionInput', {
  description: 'A session of the signed-in user.',
  fields: (t) => ({ id: t.id({ required: true, description: 'The session’s id, from `User.sessions`.' }) }),
});

builder.mutationFields((t) => ({
  login: t.field({
    type: AuthPayloadObject,
    nullable: true,
    skipTypeScopes: true,
    extensions: ONCE_PER_OPERATION,
    description: 'Opens a session. Public.',
    args: { input: t.arg({ type: LoginInput, required: true, description: 'Who, and how to answer.' }) },
    errors: {
      types: [InvalidCredentialsError, EmailNotVerifiedError, UserInactiveError, RateLimitedError],
      union: { description: 'A session, or why there is none.' },
    },
    resolve: async (_root, { input }, context) =>
      answerSignedIn(
        context,
        await logIn(context.app, context.hookRequest, input, context.refreshCookie.token),
        input.refreshTokenTransport,
      ),
  }),

  refreshToken: t.field({
    type: AuthPayloadObject,
    nullable: true,
    skipTypeScopes: true,
    extensions: ONCE_PER_OPERATION,
    description:
      'Trades a refresh token for new tokens. Public: an access token that is sent along is ignored. The token traded last answers with the same successor for a few seconds, so that a lost answer can be asked for again; any older one ends the session.',
    args: {
      input: t.arg({
        type: RefreshTokenInput,
        required: true,
        defaultValue: {},
        description: 'The token, or nothing.',
      }),
    },
    errors: {
      types: [InvalidRefreshTokenError, RateLimitedError],
      union: { description: 'The next tokens, or why there are none.' },
    },
    resolve: async (_root, { input }, context) => {
      const { app, client, refreshCookie } = context;
      if (typeof input.refreshToken === 'string') {
        return answerSignedIn(context, await refresh(app, client, input.refreshToken), 'BODY');
      }
      try {
        return answerSignedIn(context, await refresh(app, client, refreshCookie.token ?? ''), 'COOKIE');
      } catch (error) {
        if (error instanceof InvalidRefreshTokenError) refreshCookie.clear();
        throw error;
      }
    },
  }),

  logout: t.field({
    type: LogoutPayloadObject,
    nullable: true,
    skipTypeScopes: true,
    extensions: ONCE_PER_OPERATION,
    description:
      'Ends one session: that of the refresh token given, else of the one in the cookie, else of the access token. The cookie is cleared in any case. Public.',
    args: {
      input: t.arg({ type: LogoutInput, required: true, defaultValue: {}, description: 'The token, or nothing.' }),
    },
    errors: { types: [InvalidRefreshTokenError], union: { description: 'What was ended, or why nothing was.' } },
    resolve: async (_root, { input }, { app, client, bearer, refreshCookie }) => {
      refreshCookie.clear();
      const refreshToken = input.refreshToken ?? refreshCookie.token;
      return { revokedSessions: await logOut(app, client, { refreshToken, accessToken: bearer }) };
    },
  }),

  logoutEverywhere: t.field({
    type: LogoutPayloadObject,
    nullable: true,
    description: 'Ends every session of the signed-in user, this one included.',
    resolve: async (_root, _args, context) => {
      const viewer = await context.viewer();
      if (viewer === null) throw unauthenticated();
      context.refreshCookie.clear();
      return { revokedSessions: await logOutEverywhere(context.app, viewer, context.client) };
    },
  }),

  revokeSession: t.field({
    type: LogoutPayloadObject,
    nullable: true,
    description: 'Ends one session of the signed-in user, wherever it is.',
    args: { input: t.arg({ type: RevokeSessionInput, required: true, description: 'Which one.' }) },
    errors: { types: [NotFoundError], union: { description: 'What was ended, or that there is no such session.' } },
    resolve: async (_root, { input }, context) => {
      const viewer = await context.viewer();
      if (viewer === null) throw unauthenticated();
      return { revokedSessions: await revokeSession(context.app, viewer, context.client, input.id) };
    },
  }),
}));
