import { getNamedType, isInputObjectType } from 'graphql';
import { describe, expect, it } from 'vitest';
import { buildSchema } from '../../src/schema.ts';

/** What a guess, a hash or a mail comes from: once in an operation, so that each costs a request. */
const ONCE = [
  'acceptInvitation',
  'changePassword',
  'confirmEmailChange',
  'createUser',
  'inviteUser',
  'linkIdentity',
  'login',
  'loginWithOAuth',
  'logout',
  'refreshToken',
  'registerUser',
  'requestEmailChange',
  'requestEmailVerification',
  'requestPasswordReset',
  'resendInvitation',
  'resetPassword',
  'unlinkIdentity',
  'verifyEmail',
];

/** These mail somebody though nothing that they take is secret. */
const MAILING = ['inviteUser', 'requestEmailVerification', 'requestPasswordReset', 'resendInvitation'];

const SECRET = /password|token$/i;

const mutations = Object.values(buildSchema({ federation: true }).getMutationType()?.getFields() ?? {});

describe('the mutations that an operation may have once', () => {
  it('are these', () => {
    const once = mutations.filter(({ extensions }) => extensions.oncePerOperation === true);
    expect(once.map(({ name }) => name).sort()).toEqual(ONCE);
  });

  it('are all that take a secret, and those that mail somebody', () => {
    const taking = mutations.filter(({ args }) =>
      args.some(({ type }) => {
        const input = getNamedType(type);
        return isInputObjectType(input) && Object.keys(input.getFields()).some((name) => SECRET.test(name));
      }),
    );
    expect([...taking.map(({ name }) => name), ...MAILING].sort()).toEqual(ONCE);
  });
});
