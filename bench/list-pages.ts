/** A page to ask for, as an argument list of the field; `totalCount` is selected with it or not. */
export interface ListPage {
  readonly name: string;
  readonly field: 'users' | 'auditEvents' | 'invitations';
  readonly arguments: string;
  readonly counted?: boolean;
}

const FAR = 'offset: 500000';
const orders = ['CREATED_AT', 'EMAIL', 'LAST_NAME', 'LAST_LOGIN_AT'].flatMap((field) =>
  ['ASC', 'DESC'].map((direction) => ({
    order: `${field} ${direction}`,
    orderBy: `orderBy: { field: ${field}, direction: ${direction} }`,
  })),
);

export const peoplePages: readonly ListPage[] = [
  { name: 'users, first page', field: 'users', arguments: '' },
  { name: 'users, first page, counted', field: 'users', arguments: '', counted: true },
  { name: 'users, offset 500,000', field: 'users', arguments: FAR },
  { name: 'users, offset 500,000, counted', field: 'users', arguments: FAR, counted: true },
  ...orders.flatMap(({ order, orderBy }): ListPage[] => [
    { name: `users, ${order}`, field: 'users', arguments: orderBy },
    { name: `users, ${order}, offset 500,000`, field: 'users', arguments: `${orderBy}, ${FAR}` },
  ]),
  ...['person.00123', 'person.0', 'PERSON.', 'nobody'].map((prefix) =>
    users(`prefix ${prefix}`, `emailPrefix: "${prefix}"`),
  ),
  { ...users('prefix person.0, counted', 'emailPrefix: "person.0"'), counted: true },
  ...['ACTIVE', 'PENDING', 'REVOKED'].map((status) => users(`status ${status}`, `status: [${status}]`)),
  users('status PENDING or REVOKED', 'status: [PENDING, REVOKED]'),
  { ...users('status ACTIVE, counted', 'status: [ACTIVE]'), counted: true },
  ...['user', 'editor', 'auditor', 'vacant'].map((role) => users(`role ${role}`, `role: "${role}"`)),
  { ...users('role editor, counted', 'role: "editor"'), counted: true },
  ...['Sofja', 'nobody at all'].map((search) => users(`search ${search}`, `search: "${search}"`)),
  { name: 'auditEvents, first page', field: 'auditEvents', arguments: '' },
  { name: 'auditEvents, first page, counted', field: 'auditEvents', arguments: '', counted: true },
  { name: 'auditEvents, offset 500,000', field: 'auditEvents', arguments: FAR },
  ...['login.succeeded', 'session.revoked', 'role.deleted', 'nothing.ever'].map(
    (type): ListPage => ({
      name: `auditEvents, type ${type}`,
      field: 'auditEvents',
      arguments: `filter: { type: ["${type}"] }`,
    }),
  ),
];

function users(name: string, filter: string): ListPage {
  return { name: `users, ${name}`, field: 'users', arguments: `filter: { ${filter} }` };
}

const statuses = ['PENDING', 'ACCEPTED', 'EXPIRED', 'REVOKED'] as const;

export const invitationPages: readonly ListPage[] = [
  { name: 'invitations, first page', field: 'invitations', arguments: '' },
  { name: 'invitations, first page, counted', field: 'invitations', arguments: '', counted: true },
  { name: 'invitations, offset 500,000', field: 'invitations', arguments: FAR },
  ...['CREATED_AT', 'EXPIRES_AT', 'EMAIL'].flatMap((field): ListPage[] => [
    { name: `invitations, ${field} ASC`, field: 'invitations', arguments: `orderBy: { field: ${field} }` },
    {
      name: `invitations, ${field} ASC, offset 500,000`,
      field: 'invitations',
      arguments: `orderBy: { field: ${field} }, ${FAR}`,
    },
  ]),
  ...statuses.map((status) => invitations(`status ${status}`, `status: [${status}]`)),
  invitations('status EXPIRED or REVOKED', 'status: [EXPIRED, REVOKED]'),
  { ...invitations('status PENDING, counted', 'status: [PENDING]'), counted: true },
  {
    name: 'invitations, status ACCEPTED, offset 500,000',
    field: 'invitations',
    arguments: `filter: { status: [ACCEPTED] }, ${FAR}`,
  },
  ...statuses.map(
    (status): ListPage => ({
      name: `invitations, status ${status}, EMAIL ASC`,
      field: 'invitations',
      arguments: `filter: { status: [${status}] }, orderBy: { field: EMAIL }`,
    }),
  ),
  ...['Sofja', 'nobody at all'].map((search) => invitations(`search ${search}`, `search: "${search}"`)),
];

function invitations(name: string, filter: string): ListPage {
  return { name: `invitations, ${name}`, field: 'invitations', arguments: `filter: { ${filter} }` };
}

const FIELDS = {
  users: 'id email firstName lastName status emailVerified lastLoginAt createdAt',
  auditEvents: 'id type at email ipAddress data',
  invitations: 'id email firstName lastName status expiresAt mailedAt createdAt',
};

/** The operation that asks for it. */
export function queryOf({ field, arguments: given, counted = false }: ListPage): string {
  const list = given === '' ? field : `${field}(${given})`;
  return `query List { ${list} { items { ${FIELDS[field]} } hasNextPage${counted ? ' totalCount' : ''} } }`;
}
