import { builder } from '../graphql/builder.ts';
import type { Context } from '../graphql/context.ts';
import { ErrorInterface } from '../graphql/error-types.ts';
import { UserStatusEnum } from '../graphql/user-status.ts';
import {
  EmailNotVerifiedError,
  InvalidCredentialsError,
  InvalidRefreshTokenError,
  UserInactiveError,
} from './errors.ts';
import type { IssuedTokens } from './tokens.ts';

const SESSIONS_SHOWN = 100;

builder.objectType(InvalidCredentialsError, {
  name: 'InvalidCredentialsError',
  description: 'Unknown address, wrong password, or no password at all: one answer for all of them.',
  interfaces: [ErrorInterface],
});

builder.objectType(EmailNotVerifiedError, {
  name: 'EmailNotVerifiedError',
  description:
    'The password, or the proof of a provider, is right, but the address has to be verified before signing in.',
  interfaces: [ErrorInterface],
});

builder.objectType(UserInactiveError, {
  name: 'UserInactiveError',
  description: 'The password, or the proof of a provider, is right, but the account may not be used.',
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
        session.id === (context.opened ?? (await context.viewer()))?.session.id,
    }),
  }),
});

builder.prismaObjectField('User', 'sessions', (t) =>
  t.field({
    type: [SessionObject],
    nullable: true,
    description: `Where the user is signed in, the last used first, at most ${SESSIONS_SHOWN}. For the user himself or with SESSIONS_REVOKE; otherwise null and FORBIDDEN.`,
    authScopes: (user) => ({ user: user.id, permission: 'SESSIONS_REVOKE', $granted: 'signedIn' }),
    grantScopes: ['signedIn'],
    // No `relation`, which fails for who was deleted in the meantime. Prisma looks up all users of an answer at once.
    resolve: async ({ id }, _args, { app }) => {
      const found = await app.db.user.findUnique({
        where: { id },
        select: {
          sessions: {
            where: { revokedAt: null, idleExpiresAt: { gt: app.now() } },
            orderBy: [{ lastUsedAt: 'desc' }, { id: 'asc' }],
            take: SESSIONS_SHOWN,
          },
        },
      });
      return found?.sessions ?? [];
    },
  }),
);

export const RefreshTokenTransport = builder.enumType('RefreshTokenTransport', {
  description: 'How the refresh token travels.',
  values: {
    BODY: { description: 'In the answer, for clients that can keep a secret.' },
    COOKIE: {
      description:
        'In a cookie that no script can read (HttpOnly, SameSite=Strict, Secure outside development); the answer then carries null.',
    },
  } as const,
});

/** What `AuthPayload` is made from. */
export interface AuthPayload {
  readonly tokens: IssuedTokens;
  readonly transport: 'BODY' | 'COOKIE';
}

/** The answer of a field that opened or refreshed a session, with the cookie where the client wants one. */
export function answerSignedIn(context: Context, tokens: IssuedTokens, transport: 'BODY' | 'COOKIE'): AuthPayload {
  if (transport === 'COOKIE') context.refreshCookie.set(tokens.refreshToken, tokens.refreshTokenExpiresAt);
  context.opened = tokens.signedIn;
  return { tokens, transport };
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

export const LogoutPayloadObject = builder.objectRef<{ readonly revokedSessions: number }>('LogoutPayload').implement({
  description: 'What was ended.',
  fields: (t) => ({
    revokedSessions: t.exposeInt('revokedSessions', {
      description: 'How many sessions were live and have ended now; 0 when there was none left to end.',
    }),
  }),
});
