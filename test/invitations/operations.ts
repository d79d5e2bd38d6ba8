import { graphql } from '../gql/gql.ts';
import type { AcceptInvitationInput, InvitationsInvitationFragment, InviteUserInput } from '../gql/graphql.ts';
import { newestTokenTo } from '../mailbox/reading.ts';
import type { RequestOptions, TestService } from '../support/service.ts';
import type { Staff } from '../users/staff.ts';

graphql(`
  fragment InvitationsInvitation on Invitation {
    id
    email
    firstName
    lastName
    locale
    status
    roles {
      name
    }
    expiresAt
    mailedAt
    acceptedAt
    revokedAt
    createdAt
    updatedAt
  }
`);

graphql(`
  fragment InvitationsError on Error {
    code
    message
    ... on ValidationError {
      fields {
        path
        code
        message
      }
    }
    ... on InvalidTokenError {
      reason
    }
    ... on RateLimitedError {
      retryAfterSeconds
    }
  }
`);

export const InviteUser = graphql(`
  mutation InvitationsInvite($input: InviteUserInput!) {
    inviteUser(input: $input) {
      __typename
      ... on InvitationPayload {
        invitation {
          ...InvitationsInvitation
        }
      }
      ...InvitationsError
    }
  }
`);

export const ResendInvitation = graphql(`
  mutation InvitationsResend($input: ResendInvitationInput!) {
    resendInvitation(input: $input) {
      __typename
      ... on InvitationPayload {
        invitation {
          ...InvitationsInvitation
        }
      }
      ... on InvitationNotPendingError {
        status
      }
      ...InvitationsError
    }
  }
`);

export const RevokeInvitation = graphql(`
  mutation InvitationsRevoke($id: ID!) {
    revokeInvitation(input: { id: $id }) {
      __typename
      ... on InvitationPayload {
        invitation {
          ...InvitationsInvitation
        }
      }
      ... on InvitationNotPendingError {
        status
      }
      ...InvitationsError
    }
  }
`);

export const DeleteInvitation = graphql(`
  mutation InvitationsDelete($id: ID!) {
    deleteInvitation(input: { id: $id }) {
      __typename
      ... on DeletedPayload {
        id
      }
      ...InvitationsError
    }
  }
`);

export const AcceptInvitation = graphql(`
  mutation InvitationsAccept($input: AcceptInvitationInput!) {
    acceptInvitation(input: $input) {
      __typename
      ...SessionsTokens
      ...InvitationsError
    }
  }
`);

export const InvitationById = graphql(`
  query InvitationsById($id: ID!) {
    invitation(id: $id) {
      ...InvitationsInvitation
      remark
      invitedBy {
        id
      }
      acceptedBy {
        id
      }
    }
  }
`);

export const Invitations = graphql(`
  query InvitationsPage($offset: Int! = 0, $limit: Int! = 20, $filter: InvitationFilter, $orderBy: InvitationOrder) {
    invitations(offset: $offset, limit: $limit, filter: $filter, orderBy: $orderBy) {
      items {
        id
        email
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

export const InvitationByToken = graphql(`
  query InvitationsByToken($token: String!) {
    invitationByToken(token: $token) {
      email
      firstName
      lastName
      inviterName
      status
      expiresAt
    }
  }
`);

/** Good for everybody who is invited in the tests. */
export const PASSWORD = 'eleven pipers piping along';

let numbered = 0;

/** Somebody new, with an address of their own. */
export function invitee(changes: Partial<InviteUserInput> = {}): InviteUserInput {
  numbered += 1;
  return { email: `invited-${numbered}@latchkey.test`, firstName: 'Hedy', lastName: 'Lamarr', ...changes };
}

export async function invite(service: TestService, by: Staff, input: InviteUserInput) {
  const { data } = await service.execute(InviteUser, { input }, by.as);
  return data?.inviteUser;
}

/** The invitation, which is expected to be made, and the token that was mailed. */
export async function invited(service: TestService, by: Staff, input: InviteUserInput = invitee()) {
  const result = await invite(service, by, input);
  if (result?.__typename !== 'InvitationPayload') throw new Error(`no invitation: ${JSON.stringify(result)}`);
  const { invitation } = result;
  return { invitation, token: await newestTokenTo(service, invitation.email) };
}

export async function resend(service: TestService, by: Staff, id: string, expirationInDays?: number | null) {
  const input = { id, ...(expirationInDays !== undefined && { expirationInDays }) };
  const { data } = await service.execute(ResendInvitation, { input }, by.as);
  return data?.resendInvitation;
}

/** The token of the mail that was sent anew, which is expected to be done. */
export async function resent(service: TestService, by: Staff, { id, email }: InvitationsInvitationFragment) {
  const result = await resend(service, by, id);
  if (result?.__typename !== 'InvitationPayload') throw new Error(`not resent: ${JSON.stringify(result)}`);
  return newestTokenTo(service, email);
}

export async function revoke(service: TestService, by: Staff, id: string) {
  const { data } = await service.execute(RevokeInvitation, { id }, by.as);
  return data?.revokeInvitation;
}

export async function remove(service: TestService, by: Staff, id: string) {
  const { data } = await service.execute(DeleteInvitation, { id }, by.as);
  return data?.deleteInvitation;
}

export async function accept(
  service: TestService,
  token: string,
  changes: Partial<AcceptInvitationInput> = {},
  options: RequestOptions = {},
) {
  const input = { token, password: PASSWORD, ...changes };
  const { data } = await service.execute(AcceptInvitation, { input }, options);
  return data?.acceptInvitation;
}

/** The account, which is expected to be made. */
export async function accepted(service: TestService, token: string, changes: Partial<AcceptInvitationInput> = {}) {
  const result = await accept(service, token, changes);
  if (result?.__typename !== 'AuthPayload') throw new Error(`not accepted: ${JSON.stringify(result)}`);
  return result;
}

export async function preview(service: TestService, token: string) {
  const { data } = await service.execute(InvitationByToken, { token });
  return data?.invitationByToken;
}

export async function invitationById(service: TestService, by: Staff, id: string) {
  const { data } = await service.execute(InvitationById, { id }, by.as);
  return data?.invitation;
}

export const invitationPending = {
  __typename: 'InvitationPendingError',
  code: 'INVITATION_PENDING',
  message: 'There is a pending invitation for this e-mail address already.',
} as const;

export function invitationNotPending(status: 'ACCEPTED' | 'EXPIRED' | 'REVOKED') {
  return {
    __typename: 'InvitationNotPendingError',
    code: 'INVITATION_NOT_PENDING',
    message: 'This invitation is no longer pending.',
    status,
  } as const;
}
