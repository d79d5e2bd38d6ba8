import { v7 as newId } from 'uuid';
import type { OneTimePurpose } from '../../src/database/generated/client.ts';
import { instantIn, issueOneTimeToken, oneTimeTokenOf } from '../../src/tokens/service.ts';
import { AcceptInvitation, InviteUser, ResendInvitation, RevokeInvitation } from '../invitations/operations.ts';
import type { Issuer } from '../oauth/issuer.ts';
import { LogInWithOAuth } from '../oauth/operations.ts';
import { ChangePassword } from '../passwords/operations.ts';
import { RequestReset, ResetPassword } from '../recovery/operations.ts';
import {
  ConfirmEmailChange,
  Register,
  RequestEmailChange,
  RequestVerification,
  registrant,
  VerifyEmail,
} from '../registration/operations.ts';
import { CreateRole, DeleteRole, UpdateRole } from '../roles/operations.ts';
import { Login, Logout, LogoutEverywhere, Refresh, RevokeSession } from '../sessions/operations.ts';
import { createPerson, type Person, type SignedInPerson, signIn } from '../support/people.ts';
import type { Answer, RequestOptions, TestService } from '../support/service.ts';
import {
  ActivateUser,
  AssignRole,
  CreateUser,
  DeleteUser,
  RevokeRole,
  RevokeUser,
  RevokeUserSessions,
  UpdateMe,
  UpdateUser,
} from '../users/operations.ts';
import { createRoleRow } from '../users/staff.ts';

/** One thing that somebody does, with all that has to be there for it. */
export interface Scene {
  /** Of whom and of what it is. */
  readonly subject: Subject;
  /** Sends the operation, the same each time. */
  readonly act: (service: TestService, options: RequestOptions) => Promise<Answer<object>>;
}

/** By which the rows are found that the operation may write. */
export interface Subject {
  readonly email: string;
  /** Whose address it is, where there is such a user already. */
  readonly userId?: string;
  readonly roleName?: string;
}

/** Who may do everything, and where their rights come from. */
export interface Stage {
  /** On the database itself. */
  readonly service: TestService;
  readonly administrator: RequestOptions;
  readonly issuer: Issuer;
}

type Mutation = readonly [field: string, setScene: (stage: Stage) => Promise<Scene>];

const newName = { firstName: 'Sonja', lastName: 'Kowalewskaja' };
const newPassword = 'eleven purple walruses';

/** Every mutation of somebody's own account that takes more than one statement, where it succeeds. */
export const ownMutations: readonly Mutation[] = [
  [
    'login',
    async ({ service }) => {
      const { user, password } = await createPerson(service);
      return scene(user, (at, as) => at.execute(Login, { input: { email: user.email, password } }, as));
    },
  ],
  [
    'loginWithOAuth of somebody new',
    async ({ issuer }) => {
      const email = newEmail();
      const idToken = await issuer.idToken({ email });
      return scene({ email }, (at, as) => at.execute(LogInWithOAuth, { input: { provider: 'example', idToken } }, as));
    },
  ],
  [
    'loginWithOAuth of somebody known by address',
    async ({ service, issuer }) => {
      const { user } = await createPerson(service);
      const idToken = await issuer.idToken({ email: user.email });
      return scene(user, (at, as) => at.execute(LogInWithOAuth, { input: { provider: 'example', idToken } }, as));
    },
  ],
  [
    'refreshToken',
    async ({ service }) => {
      const { user, session } = await signedInPerson(service);
      const { refreshToken } = session;
      return scene(user, (at, as) => at.execute(Refresh, { input: { refreshToken } }, as));
    },
  ],
  [
    'logout',
    async ({ service }) => {
      const { user, session } = await signedInPerson(service);
      const { refreshToken } = session;
      return scene(user, (at, as) => at.execute(Logout, { input: { refreshToken } }, as));
    },
  ],
  [
    'logoutEverywhere',
    async ({ service }) => {
      const { user, as } = await signedInPerson(service);
      return scene(user, (at, rest) => at.execute(LogoutEverywhere, {}, { ...rest, ...as }));
    },
  ],
  [
    'revokeSession',
    async ({ service }) => {
      const { user, password, as } = await signedInPerson(service);
      const { sessionId } = await signIn(service, { email: user.email, password });
      return scene(user, (at, rest) => at.execute(RevokeSession, { input: { id: sessionId } }, { ...rest, ...as }));
    },
  ],
  [
    'registerUser',
    async () => {
      const email = newEmail();
      return scene({ email }, (at, as) => at.execute(Register, { input: registrant(email) }, as));
    },
  ],
  [
    'registerUser with an address that is taken',
    async ({ service }) => {
      const { user } = await createPerson(service);
      return scene(user, (at, as) => at.execute(Register, { input: registrant(user.email) }, as));
    },
  ],
  [
    'requestEmailVerification',
    async ({ service }) => {
      const { user } = await createPerson(service, { emailVerified: false });
      return scene(user, (at, as) => at.execute(RequestVerification, { email: user.email }, as));
    },
  ],
  [
    'verifyEmail',
    async ({ service }) => {
      const { user } = await createPerson(service, { emailVerified: false });
      const token = await tokenOf(service, 'EMAIL_VERIFICATION', user);
      return scene(user, (at, as) => at.execute(VerifyEmail, { token }, as));
    },
  ],
  [
    'requestPasswordReset',
    async ({ service }) => {
      const { user } = await createPerson(service);
      return scene(user, (at, as) => at.execute(RequestReset, { email: user.email }, as));
    },
  ],
  [
    'resetPassword',
    async ({ service }) => {
      const { user } = await signedInPerson(service);
      const token = await tokenOf(service, 'PASSWORD_RESET', user);
      return scene(user, (at, as) => at.execute(ResetPassword, { token, password: newPassword }, as));
    },
  ],
  [
    'changePassword',
    async ({ service }) => {
      const { user, password, as } = await signedInPerson(service);
      await signIn(service, { email: user.email, password });
      const input = { currentPassword: password, newPassword };
      return scene(user, (at, rest) => at.execute(ChangePassword, { input }, { ...rest, ...as }));
    },
  ],
  [
    'requestEmailChange',
    async ({ service }) => {
      const { user, password, as } = await signedInPerson(service);
      const input = { newEmail: newEmail(), currentPassword: password };
      return scene(user, (at, rest) => at.execute(RequestEmailChange, { input }, { ...rest, ...as }));
    },
  ],
  [
    'confirmEmailChange',
    async ({ service }) => {
      const { user } = await signedInPerson(service);
      const token = await tokenOf(service, 'EMAIL_CHANGE', { id: user.id, email: newEmail() });
      return scene(user, (at, as) => at.execute(ConfirmEmailChange, { token }, as));
    },
  ],
  [
    'updateMe',
    async ({ service }) => {
      const { user, as } = await signedInPerson(service);
      return scene(user, (at, rest) => at.execute(UpdateMe, { input: newName }, { ...rest, ...as }));
    },
  ],
  [
    'acceptInvitation',
    async ({ service }) => {
      const { email, token } = await createInvitation(service);
      return scene({ email }, (at, as) =>
        at.execute(AcceptInvitation, { input: { token, password: newPassword } }, as),
      );
    },
  ],
];

/** Those of administration. */
export const administration: readonly Mutation[] = [
  [
    'inviteUser',
    async ({ service, administrator }) => {
      const email = newEmail();
      const role = await createRoleRow(service, []);
      const input = { ...newName, email, roleIds: [role.id] };
      return scene({ email }, (at, as) => at.execute(InviteUser, { input }, { ...as, ...administrator }));
    },
  ],
  [
    'resendInvitation',
    async ({ service, administrator }) => {
      const { id, email } = await createInvitation(service);
      return scene({ email }, (at, as) => at.execute(ResendInvitation, { input: { id } }, { ...as, ...administrator }));
    },
  ],
  [
    'revokeInvitation',
    async ({ service, administrator }) => {
      const { id, email } = await createInvitation(service);
      return scene({ email }, (at, as) => at.execute(RevokeInvitation, { id }, { ...as, ...administrator }));
    },
  ],
  [
    'createUser',
    async ({ administrator }) => {
      const email = newEmail();
      return scene({ email }, (at, as) =>
        at.execute(CreateUser, { input: { ...newName, email } }, { ...as, ...administrator }),
      );
    },
  ],
  [
    'updateUser',
    async ({ service, administrator }) => {
      const { user } = await signedInPerson(service);
      const input = { id: user.id, ...newName, emailVerified: false };
      return scene(user, (at, as) => at.execute(UpdateUser, { input }, { ...as, ...administrator }));
    },
  ],
  [
    'deleteUser',
    async ({ service, administrator }) => {
      const { user } = await signedInPerson(service);
      return scene(user, (at, as) => at.execute(DeleteUser, { input: { id: user.id } }, { ...as, ...administrator }));
    },
  ],
  [
    'activateUser',
    async ({ service, administrator }) => {
      const { user } = await createPerson(service, { status: 'PENDING' });
      return scene(user, (at, as) => at.execute(ActivateUser, { input: { id: user.id } }, { ...as, ...administrator }));
    },
  ],
  [
    'revokeUser',
    async ({ service, administrator }) => {
      const { user } = await signedInPerson(service);
      return scene(user, (at, as) => at.execute(RevokeUser, { input: { id: user.id } }, { ...as, ...administrator }));
    },
  ],
  [
    'revokeUserSessions',
    async ({ service, administrator }) => {
      const { user } = await signedInPerson(service);
      return scene(user, (at, as) =>
        at.execute(RevokeUserSessions, { input: { id: user.id } }, { ...as, ...administrator }),
      );
    },
  ],
  [
    'createRole',
    async ({ administrator }) => {
      const name = newId();
      const subject = { email: newEmail(), roleName: name };
      return scene(subject, (at, as) =>
        at.execute(CreateRole, { input: { name, permissions: ['USERS_READ'] } }, { ...as, ...administrator }),
      );
    },
  ],
  [
    'updateRole',
    async ({ service, administrator }) => {
      const { id, name } = await createRoleRow(service, []);
      const input = { id, description: 'Whoever reads', permissions: ['USERS_READ' as const] };
      return scene({ email: newEmail(), roleName: name }, (at, as) =>
        at.execute(UpdateRole, { input }, { ...as, ...administrator }),
      );
    },
  ],
  [
    'deleteRole',
    async ({ service, administrator }) => {
      const { id, name } = await createRoleRow(service, []);
      return scene({ email: newEmail(), roleName: name }, (at, as) =>
        at.execute(DeleteRole, { input: { id } }, { ...as, ...administrator }),
      );
    },
  ],
  [
    'assignRole',
    async ({ service, administrator }) => {
      const { user } = await signedInPerson(service);
      const role = await createRoleRow(service, ['USERS_READ']);
      const input = { userId: user.id, roleId: role.id };
      return scene(user, (at, as) => at.execute(AssignRole, { input }, { ...as, ...administrator }));
    },
  ],
  [
    'revokeRole',
    async ({ service, administrator }) => {
      const role = await createRoleRow(service, ['USERS_READ']);
      const { user } = await createPerson(service, { roles: ['user', role.name] });
      const input = { userId: user.id, roleId: role.id };
      return scene(user, (at, as) => at.execute(RevokeRole, { input }, { ...as, ...administrator }));
    },
  ],
];

function scene({ email, id, roleName }: SubjectToBe, act: Scene['act']): Scene {
  return {
    subject: { email, ...(id !== undefined && { userId: id }), ...(roleName !== undefined && { roleName }) },
    act,
  };
}

interface SubjectToBe {
  readonly email: string;
  readonly id?: string;
  readonly roleName?: string;
}

function newEmail(): string {
  return `${newId()}@latchkey.test`;
}

async function signedInPerson(
  service: TestService,
): Promise<Person & { readonly session: SignedInPerson; readonly as: { readonly accessToken: string } }> {
  const person = await createPerson(service);
  const session = await signIn(service, { email: person.user.email, password: person.password });
  return { ...person, session, as: { accessToken: session.accessToken } };
}

async function tokenOf(
  { app }: TestService,
  purpose: Exclude<OneTimePurpose, 'INVITATION'>,
  { id: userId, email }: { readonly id: string; readonly email: string },
): Promise<string> {
  const owner = { purpose, userId } as const;
  const id = await app.db.$transaction((transaction) =>
    issueOneTimeToken(app, transaction, owner, { email, expiresAt: instantIn(app, 3600) }),
  );
  return oneTimeTokenOf(app, { id, purpose, email });
}

async function createInvitation({ app }: TestService) {
  const email = newEmail();
  const now = app.now();
  const { id: roleId } = await app.db.role.findUniqueOrThrow({ where: { nameKey: 'user' } });
  const { id } = await app.db.invitation.create({
    data: {
      email,
      ...newName,
      expiresAt: instantIn(app, 86_400),
      createdAt: now,
      updatedAt: now,
      roles: { create: [{ roleId }] },
    },
  });
  const purpose = 'INVITATION';
  const tokenId = await app.db.$transaction((transaction) =>
    issueOneTimeToken(app, transaction, { purpose, invitationId: id }, { email, expiresAt: instantIn(app, 86_400) }),
  );
  return { id, email, token: oneTimeTokenOf(app, { id: tokenId, purpose, email }) };
}
