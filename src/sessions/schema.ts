import { NotFoundError, RateLimitedError } from '../errors.ts';
import { builder } from '../graphql/builder.ts';
import type { Context } from '../graphql/context.ts';
import { ErrorInterface } from '../graphql/error-types.ts';
import { unauthenticated } from '../graphql/errors.ts';
import { ONCE_PER_OPERATION } from '../graphql/once-per-operation.ts';
import { UserStatusEnum } from '../graphql/user-status.ts';
import { logOut, logOutEverywhere, revokeSession } from './end.ts';
import {
  EmailNotVerifiedError,
  InvalidCredentialsError,
  InvalidRefreshTokenError,
  UserInactiveError,
} from './errors.ts';
import { logIn } from './log-in.ts';
import { refresh } from './refresh.ts';
import type { IssuedTokens } from './tokens.ts';

const SESSIONS_SHOWN = 100;

builder.objectType(InvalidCredentialsError, {
  name: 'InvalidCredentialsError',
  description: 'Unknown address, wrong password, or no password at all: one answer for all of them.',
  interfaces: [ErrorInterface],
});

builder.objectType(EmailNotVerifiedError, {
  name: 'EmailNotVerifiedError',
  description: 'The password is right, but the address has to be verified before signing in.',
  interfaces: [ErrorInterface],
});

builder.objectType(UserInactiveError, {
  name: 'UserInactiveError',
  description: 'The password is right, but the account may not be used.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    status: t.field({ type: UserStatusEnum, description: 'PENDING or REVOKED.', resolve: (error) => error.status }),
  }),
});

builder.objectType(InvalidRefreshTokenError, {
  name: 'InvalidRefreshTokenError',
  description: 'The refresh token is unknown, expired, revoked or was used before: not told apart. Sign in again.',
  interfaces: [ErrorInterface],
});

const SessionObject = builder.prismaObject('Session', {
  description: 'One sign-in on one device. Visible to its user, and with SESSIONS_REVOKE.',
  authScopes: (session) => ({
    user: session.userId,
    permission: 'SESSIONS_REVOKE',
    $granted: 'signedIn',
  }),
  fields: (t) => ({
    id: t.exposeID('id', { description: 'A UUID. Says nothing that would let anybody use the session.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the user signed in.' }),
    lastUsedAt: t.expose('lastUsedAt', { type: 'DateTime', description: 'The sign-in, or the last refresh.' }),
    expiresAt: t.expose('idleExpiresAt', {
      type: 'DateTime',
      description: 'When the session ends unless it is refreshed before.',
    }),
    ipAddress: t.exposeString('ipAddress', { nullable: true, description: 'The address the sign-in came from.' }),
    userAgent: t.exposeString('userAgent', {
      nullable: true,
      description: 'What the client called itself at the sign-in.',
    }),
    current: t.boolean({
      description: 'Whether this very request belongs to the session.',
      resolve: async (session, _args, context) =>
        session.id === (context.openedSessionId ?? (await context.viewer())?.session.id),
    }),
  }),
});

builder.prismaObjectField('User', 'sessions', (t) =>
  t.prismaField({
    type: ['Session'],
    nullable: true,
    description: `Where the user is signed in, the last used first, at most ${SESSIONS_SHOWN}. For the user himself or with SESSIONS_REVOKE; otherwise null and FORBIDDEN.`,
    authScopes: (user) => ({ user: user.id, permission: 'SESSIONS_REVOKE', $granted: 'signedIn' }),
    grantScopes: ['signedIn'],
    resolve: (query, user, _args, { app }) =>
      app.db.session.findMany({
        ...query,
        where: { userId: user.id, revokedAt: null, idleExpiresAt: { gt: app.now() } },
        orderBy: [{ lastUsedAt: 'desc' }, { id: 'asc' }],
        take: SESSIONS_SHOWN,
      }),
  }),
);

const RefreshTokenTransport = builder.enumType('RefreshTokenTransport', {
  description: 'How the refresh token travels.',
  values: {
    BODY: { description: 'In the answer, for clients that can keep a secret.' },
    COOKIE: {
      description:
        'In a cookie that no script can read (HttpOnly, SameSite=Strict, Secure outside development); the answer then carries null.',
    },
  } as const,
});

interface AuthPayload {
  readonly tokens: IssuedTokens;
  readonly transport: 'BODY' | 'COOKIE';
}

export const AuthPayloadObject = builder.objectRef<AuthPayload>('AuthPayload').implement({
  description: 'A signed-in session and its tokens.',
  fields: (t) => ({
    accessToken: t.field({
      type: 'JWT',
      description: 'To send as `Authorization: Bearer …`. A JWT after RFC 9068.',
      resolve: ({ tokens }) => tokens.accessToken,
    }),
    accessTokenExpiresAt: t.field({
      type: 'DateTime',
      description: 'Until when the access token is good. Refresh before.',
      resolve: ({ tokens }) => tokens.accessTokenExpiresAt,
    }),
    refreshToken: t.string({
      nullable: true,
      description: 'For the next `refreshToken`, once. Null when it travels in the cookie.',
      resolve: ({ tokens, transport }) => (transport === 'BODY' ? tokens.refreshToken : null),
    }),
    refreshTokenExpiresAt: t.field({
      type: 'DateTime',
      description: 'Until when the refresh token is good, in the body or in the cookie.',
      resolve: ({ tokens }) => tokens.refreshTokenExpiresAt,
    }),
    tokenType: t.string({ description: '"Bearer".', resolve: () => 'Bearer' }),
    session: t.field({
      type: SessionObject,
      description: 'The session that was opened or refreshed.',
      grantScopes: ['signedIn'],
      resolve: ({ tokens }) => tokens.signedIn.session,
    }),
  }),
});

const LogoutPayload = builder.objectRef<{ readonly revokedSessions: number }>('LogoutPayload').implement({
  description: 'What was ended.',
  fields: (t) => ({
    revokedSessions: t.exposeInt('revokedSessions', {
      description: 'How many sessions were live and have ended now; 0 when there was none left to end.',
    }),
  }),
});

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
      answer(context, await logIn(context.app, context.client, input), input.refreshTokenTransport),
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
        return answer(context, await refresh(app, client, input.refreshToken), 'BODY');
      }
      try {
        return answer(context, await refresh(app, client, refreshCookie.token ?? ''), 'COOKIE');
      } catch (error) {
        if (error instanceof InvalidRefreshTokenError) refreshCookie.clear();
        throw error;
      }
    },
  }),

  logout: t.field({
    type: LogoutPayload,
    nullable: true,
    skipTypeScopes: true,
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
    type: LogoutPayload,
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
    type: LogoutPayload,
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

function answer(context: Context, tokens: IssuedTokens, transport: 'BODY' | 'COOKIE'): AuthPayload {
  if (transport === 'COOKIE') context.refreshCookie.set(tokens.refreshToken, tokens.refreshTokenExpiresAt);
  context.openedSessionId = tokens.signedIn.session.id;
  return { tokens, transport };
}
