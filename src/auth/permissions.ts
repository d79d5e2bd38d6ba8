/** Every permission there is, with what its holder may do. The API's enum and its descriptions are made from this. */
export const permissionDescriptions = {
  USERS_READ: 'Read every user.',
  USERS_WRITE: 'Create, change, activate, revoke and delete users.',
  INVITATIONS_READ: 'Read every invitation.',
  INVITATIONS_WRITE: 'Invite people; resend, revoke and delete invitations.',
  ROLES_READ: 'Read every role.',
  ROLES_WRITE: 'Create, change and delete roles; give them and take them away.',
  SESSIONS_REVOKE: 'See and end the sessions of other users.',
  AUDIT_READ: 'Read the audit events.',
} as const;

export type Permission = keyof typeof permissionDescriptions;

export const permissions = Object.keys(permissionDescriptions) as readonly Permission[];

/** The built-in role that holds every permission, those of later versions included. */
export const ADMIN_ROLE = 'admin';

/** The built-in role that every new account is given; it may be taken away like others. */
export const USER_ROLE = 'user';

interface PermissionBearer {
  readonly name: string;
  readonly builtIn: boolean;
  readonly permissions: readonly string[];
}

/**
 * What a holder of these roles may do, in the order of the list above. Names that this version does not know
 * (a newer version wrote them) give nothing.
 */
export function permissionsOf(roles: readonly PermissionBearer[]): readonly Permission[] {
  if (roles.some((role) => role.builtIn && role.name === ADMIN_ROLE)) return permissions;
  const held = new Set(roles.flatMap((role) => role.permissions));
  return permissions.filter((permission) => held.has(permission));
}
