import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { graphql } from './gql/gql.ts';
import { linkIn, mailsTo } from './mailbox/reading.ts';
import { faultsOf } from './sessions/operations.ts';
import { administrator, startTestService, type TestService } from './support/service.ts';

const SignIn = graphql(`
  mutation StorySignIn($email: String!, $password: String!) {
    login(input: { email: $email, password: $password }) {
      __typename
      ... on AuthPayload {
        accessToken
        refreshToken
      }
    }
  }
`);

const Invite = graphql(`
  mutation StoryInvite($input: InviteUserInput!) {
    inviteUser(input: $input) {
      __typename
      ... on InvitationPayload {
        invitation {
          email
          status
        }
      }
    }
  }
`);

const PreviewInvitation = graphql(`
  query StoryPreviewInvitation($token: String!) {
    invitationByToken(token: $token) {
      email
      firstName
      inviterName
      status
    }
  }
`);

const Accept = graphql(`
  mutation StoryAccept($token: String!, $password: String!) {
    acceptInvitation(input: { token: $token, password: $password, firstName: "Hedwig" }) {
      __typename
      ... on AuthPayload {
        accessToken
        refreshToken
        user {
          firstName
          emailVerified
          status
        }
      }
    }
  }
`);

const Me = graphql(`
  query StoryMe {
    me {
      email
      firstName
    }
  }
`);

const Refresh = graphql(`
  mutation StoryRefresh($refreshToken: String!) {
    refreshToken(input: { refreshToken: $refreshToken }) {
      __typename
    }
  }
`);

const Forget = graphql(`
  mutation StoryForget($email: String!) {
    requestPasswordReset(input: { email: $email }) {
      __typename
      ... on AcceptedPayload {
        accepted
      }
    }
  }
`);

const PreviewReset = graphql(`
  query StoryPreviewReset($token: String!) {
    passwordResetByToken(token: $token) {
      maskedEmail
    }
  }
`);

const Reset = graphql(`
  mutation StoryReset($token: String!, $password: String!) {
    resetPassword(input: { token: $token, password: $password }) {
      __typename
      ... on ResetPasswordPayload {
        email
      }
    }
  }
`);

const EMAIL = 'hedy@latchkey.test';
const FIRST_PASSWORD = 'soon it will be forgotten';
const SECOND_PASSWORD = 'this one goes into a manager';

describe.each(['postgres', 'embedded'] as const)('on %s', (database) => {
  let service: TestService;

  beforeAll(async () => {
    service = await startTestService({ database, environment: { RATE_LIMITING: 'on' } });
  });
  afterEach(() => expect(faultsOf(service)).toEqual([]));
  afterAll(() => service.close());

  it('somebody is invited, accepts, signs in, forgets the password and gets back in', async () => {
    // An administrator invites.
    const admin = await signIn(service, administrator);
    const input = { email: EMAIL, firstName: 'Hedy', lastName: 'Lamarr' };
    const invitation = await service.execute(Invite, { input }, admin);
    expect(invitation.data?.inviteUser).toEqual({
      __typename: 'InvitationPayload',
      invitation: { email: EMAIL, status: 'PENDING' },
    });

    // A mail arrives, with a link to the front end.
    const invited = await newestMail(service);
    expect(invited.link.pathname).toBe('/accept-invitation');

    // The page behind it shows what it is about.
    const { token } = invited;
    const shown = await service.execute(PreviewInvitation, { token });
    expect(shown.data?.invitationByToken).toEqual({
      email: EMAIL,
      firstName: 'Hedy',
      inviterName: 'First Administrator',
      status: 'PENDING',
    });

    // The invited person corrects the name, chooses a password, and is signed in. The address is proven by the mail.
    const accepted = await service.execute(Accept, { token, password: FIRST_PASSWORD });
    expect(accepted.data?.acceptInvitation).toMatchObject({
      __typename: 'AuthPayload',
      user: { firstName: 'Hedwig', emailVerified: true, status: 'ACTIVE' },
    });
    const first = tokensIn(accepted.data?.acceptInvitation);

    // Another device signs in.
    const second = await signIn(service, { email: EMAIL, password: FIRST_PASSWORD });
    expect(await me(service, second)).toEqual({ email: EMAIL, firstName: 'Hedwig' });

    // The password is forgotten. Whoever asks is told the same for every address.
    for (const email of ['nobody@latchkey.test', EMAIL]) {
      const forgotten = await service.execute(Forget, { email });
      expect(forgotten.data?.requestPasswordReset).toEqual({ __typename: 'AcceptedPayload', accepted: true });
    }

    // A mail arrives. The page behind its link shows whose password it is about.
    const forgotten = await newestMail(service);
    expect(forgotten.link.pathname).toBe('/reset-password');
    const masked = await service.execute(PreviewReset, { token: forgotten.token });
    expect(masked.data?.passwordResetByToken).toEqual({ maskedEmail: 'h•••@l•••.test' });

    // Until it is used, everything is as it was.
    expect(await me(service, first)).not.toBeNull();
    await signIn(service, { email: EMAIL, password: FIRST_PASSWORD });

    // A new password is chosen.
    const reset = await service.execute(Reset, { token: forgotten.token, password: SECOND_PASSWORD });
    expect(reset.data?.resetPassword).toEqual({ __typename: 'ResetPasswordPayload', email: EMAIL });

    // Every session of before is dead, and so are the old password and both links.
    for (const session of [first, second]) {
      expect(await me(service, session)).toBeNull();
      const refreshed = await service.execute(Refresh, { refreshToken: session.refreshToken });
      expect(refreshed.data?.refreshToken).toEqual({ __typename: 'InvalidRefreshTokenError' });
    }
    const old = await service.execute(SignIn, { email: EMAIL, password: FIRST_PASSWORD });
    expect(old.data?.login).toEqual({ __typename: 'InvalidCredentialsError' });
    const again = { password: 'neither link works a second time' };
    const resetAgain = await service.execute(Reset, { token: forgotten.token, ...again });
    expect(resetAgain.data?.resetPassword).toEqual({ __typename: 'InvalidTokenError' });
    const acceptedAgain = await service.execute(Accept, { token, ...again });
    expect(acceptedAgain.data?.acceptInvitation).toEqual({ __typename: 'InvalidTokenError' });

    // The new password signs in, and a notice says that there is one.
    const back = await signIn(service, { email: EMAIL, password: SECOND_PASSWORD });
    expect(await me(service, back)).toEqual({ email: EMAIL, firstName: 'Hedwig' });
    await service.runJobs();
    const subjects = (await mailsTo(service, EMAIL)).map(({ subject }) => subject);
    expect(subjects).toEqual([
      'You have a new password',
      'Choose a new password',
      'First Administrator invites you to Latchkey',
    ]);
    expect(await mailsTo(service, 'nobody@latchkey.test')).toEqual([]);
  });
});

interface Session {
  readonly accessToken: string;
  readonly refreshToken: string;
}

async function signIn(
  service: TestService,
  credentials: { readonly email: string; readonly password: string },
): Promise<Session> {
  const { email, password } = credentials;
  return tokensIn((await service.execute(SignIn, { email, password })).data?.login);
}

function tokensIn(answer: { readonly __typename: string } | null | undefined): Session {
  if (!answer || !('accessToken' in answer) || !('refreshToken' in answer)) {
    throw new Error(`no session: ${JSON.stringify(answer)}`);
  }
  return { accessToken: String(answer.accessToken), refreshToken: String(answer.refreshToken) };
}

async function me(service: TestService, { accessToken }: Session) {
  return (await service.execute(Me, {}, { accessToken })).data?.me;
}

/** The newest mail that was sent, and the token in its link. */
async function newestMail(service: TestService) {
  await service.runJobs();
  const [mail] = await mailsTo(service, EMAIL);
  if (mail === undefined) throw new Error('no mail');
  const link = linkIn(mail);
  return { link, token: link.searchParams.get('token') ?? '' };
}
