import { v7 as newId } from 'uuid';
import type { Permission } from '../../src/auth/permissions.ts';
import type { Invitation } from '../../src/database/generated/client.ts';
import {
  DeleteInvitation,
  InvitationById,
  Invitations,
  InviteUser,
  ResendInvitation,
  RevokeInvitation,
} from '../invitations/operations.ts';
import { AuditEvents, Users } from '../lists/operations.ts';
import { CreateRole, DeleteRole, RoleById, RoleByName, Roles, UpdateRole } from '../roles/operations.ts';
import { createPerson, type Person } from '../support/people.ts';
import type { Answer, RequestOptions, TestService } from '../support/service.ts';
import {
  ActivateUser,
  AssignRole,
  CreateUser,
  DeleteUser,
  RevokeRole,
  RevokeUser,
  RevokeUserSessions,
  UpdateUser,
  UserByEmail,
  UserById,
} from './operations.ts';
import { createRoleRow } from './staff.ts';

/** What there is to be administrated. */
export interface Scene {
  readonly target: Person;
  /** Of a role without permissions, which nobody holds. */
  readonly roleId: string;
  /** Of a role without permissions, which the target holds. */
  readonly heldRoleId: string;
  /** Pending, without roles, sent by nobody who is known. */
  readonly invitation: Invitation;
}

export async function setScene(service: TestService): Promise<Scene> {
  const [free, held] = await Promise.all([createRoleRow(service, []), createRoleRow(service, [])]);
  const target = await createPerson(service, { roles: ['user', held.name] });
  return { target, roleId: free.id, heldRoleId: held.id, invitation: await createInvitation(service) };
}

function createInvitation({ app }: TestService): Promise<Invitation> {
  const now = app.now();
  return app.db.invitation.create({
    data: {
      email: `${newId()}@latchkey.test`,
      ...newName,
      expiresAt: new Date(now.getTime() + 86_400_000),
      createdAt: now,
      updatedAt: now,
    },
  });
}

export interface Operation {
  readonly field: string;
  readonly permission: Permission;
  /** Asks for something that is there to be read or done. */
  readonly run: (service: TestService, scene: Scene, as: RequestOptions) => Promise<Answer<Record<string, unknown>>>;
}

const newName = { firstName: 'Sonja', lastName: 'Kowalewskaja' };

export const queries: readonly Operation[] = [
  {
    field: 'user',
    permission: 'USERS_READ',
    run: (service, { target }, as) => service.execute(UserById, { id: target.user.id }, as),
  },
  {
    field: 'userByEmail',
    permission: 'USERS_READ',
    run: (service, { target }, as) => service.execute(UserByEmail, { email: target.user.email }, as),
  },
  { field: 'users', permission: 'USERS_READ', run: (service, _scene, as) => service.execute(Users, {}, as) },
  {
    field: 'role',
    permission: 'ROLES_READ',
    run: (service, { roleId }, as) => service.execute(RoleById, { id: roleId }, as),
  },
  {
    field: 'roleByName',
    permission: 'ROLES_READ',
    run: (service, _scene, as) => service.execute(RoleByName, { name: 'user' }, as),
  },
  { field: 'roles', permission: 'ROLES_READ', run: (service, _scene, as) => service.execute(Roles, {}, as) },
  {
    field: 'auditEvents',
    permission: 'AUDIT_READ',
    run: (service, _scene, as) => service.execute(AuditEvents, {}, as),
  },
  {
    field: 'invitation',
    permission: 'INVITATIONS_READ',
    run: (service, { invitation }, as) => service.execute(InvitationById, { id: invitation.id }, as),
  },
  {
    field: 'invitations',
    permission: 'INVITATIONS_READ',
    run: (service, _scene, as) => service.execute(Invitations, {}, as),
  },
];

export const mutations: readonly Operation[] = [
  {
    field: 'createUser',
    permission: 'USERS_WRITE',
    run: (service, { target }, as) =>
      service.execute(CreateUser, { input: { ...newName, email: `x${target.user.email}` } }, as),
  },
  {
    field: 'updateUser',
    permission: 'USERS_WRITE',
    run: (service, { target }, as) =>
      service.execute(UpdateUser, { input: { id: target.user.id, ...newName, emailVerified: false } }, as),
  },
  {
    field: 'deleteUser',
    permission: 'USERS_WRITE',
    run: (service, { target }, as) => service.execute(DeleteUser, { input: { id: target.user.id } }, as),
  },
  {
    field: 'activateUser',
    permission: 'USERS_WRITE',
    run: (service, { target }, as) => service.execute(ActivateUser, { input: { id: target.user.id } }, as),
  },
  {
    field: 'revokeUser',
    permission: 'USERS_WRITE',
    run: (service, { target }, as) => service.execute(RevokeUser, { input: { id: target.user.id } }, as),
  },
  {
    field: 'revokeUserSessions',
    permission: 'SESSIONS_REVOKE',
    run: (service, { target }, as) => service.execute(RevokeUserSessions, { input: { id: target.user.id } }, as),
  },
  {
    field: 'createRole',
    permission: 'ROLES_WRITE',
    run: (service, { target }, as) =>
      service.execute(CreateRole, { input: { name: `role of ${target.user.id.slice(-12)}` } }, as),
  },
  {
    field: 'updateRole',
    permission: 'ROLES_WRITE',
    run: (service, { roleId }, as) =>
      service.execute(UpdateRole, { input: { id: roleId, description: 'changed' } }, as),
  },
  {
    field: 'deleteRole',
    permission: 'ROLES_WRITE',
    run: (service, { roleId }, as) => service.execute(DeleteRole, { input: { id: roleId } }, as),
  },
  {
    field: 'assignRole',
    permission: 'ROLES_WRITE',
    run: (service, { target, roleId }, as) =>
      service.execute(AssignRole, { input: { userId: target.user.id, roleId } }, as),
  },
  {
    field: 'revokeRole',
    permission: 'ROLES_WRITE',
    run: (service, { target, heldRoleId }, as) =>
      service.execute(RevokeRole, { input: { userId: target.user.id, roleId: heldRoleId } }, as),
  },
  {
    field: 'inviteUser',
    permission: 'INVITATIONS_WRITE',
    run: (service, { target }, as) =>
      service.execute(InviteUser, { input: { ...newName, email: `invited.${target.user.email}` } }, as),
  },
  {
    field: 'resendInvitation',
    permission: 'INVITATIONS_WRITE',
    run: (service, { invitation }, as) => service.execute(ResendInvitation, { input: { id: invitation.id } }, as),
  },
  {
    field: 'revokeInvitation',
    permission: 'INVITATIONS_WRITE',
    run: (service, { invitation }, as) => service.execute(RevokeInvitation, { id: invitation.id }, as),
  },
  {
    field: 'deleteInvitation',
    permission: 'INVITATIONS_WRITE',
    run: (service, { invitation }, as) => service.execute(DeleteInvitation, { id: invitation.id }, as),
  },
];
