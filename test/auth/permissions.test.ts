import { describe, expect, it } from 'vitest';
import { ADMIN_ROLE, permissions, permissionsOf, USER_ROLE } from '../../src/auth/permissions.ts';

const user = { name: USER_ROLE, builtIn: true, permissions: [] };
const admin = { name: ADMIN_ROLE, builtIn: true, permissions: [] };

describe('permissionsOf', () => {
  it('are none without a role, and none for a plain user', () => {
    expect(permissionsOf([])).toEqual([]);
    expect(permissionsOf([user])).toEqual([]);
  });

  it('are all there are for an administrator, whatever the role was stored with', () => {
    expect(permissionsOf([user, admin])).toEqual(permissions);
    expect(permissions).toEqual([
      'USERS_READ',
      'USERS_WRITE',
      'INVITATIONS_READ',
      'INVITATIONS_WRITE',
      'ROLES_READ',
      'ROLES_WRITE',
      'SESSIONS_REVOKE',
      'AUDIT_READ',
    ]);
  });

  it('are those of all roles together, each once, in one order', () => {
    const support = { name: 'support', builtIn: false, permissions: ['SESSIONS_REVOKE', 'USERS_READ'] };
    const auditor = { name: 'auditor', builtIn: false, permissions: ['AUDIT_READ', 'USERS_READ'] };
    expect(permissionsOf([user, auditor, support])).toEqual(['USERS_READ', 'SESSIONS_REVOKE', 'AUDIT_READ']);
  });

  it('are no more for a role that somebody has given the name of the built-in one', () => {
    expect(permissionsOf([{ name: ADMIN_ROLE, builtIn: false, permissions: ['USERS_READ'] }])).toEqual(['USERS_READ']);
    expect(permissionsOf([{ name: 'Admin', builtIn: true, permissions: [] }])).toEqual([]);
  });

  it('are none for a name that this version does not know', () => {
    const newer = { name: 'newer', builtIn: false, permissions: ['MOON_WRITE', 'toString', 'USERS_READ'] };
    expect(permissionsOf([newer])).toEqual(['USERS_READ']);
  });
});
