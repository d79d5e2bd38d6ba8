import { validate as isUuid } from 'uuid';
import type { Prisma } from '../database/generated/client.ts';
import type { FieldProblem } from '../errors.ts';
import { builder } from '../graphql/builder.ts';
import {
  pageArguments,
  pageType,
  readPage,
  refuseBadInput,
  refuseUnstorable,
  selectedRelations,
} from '../graphql/pagination.ts';

const AuditEventObject = builder.prismaObject('AuditEvent', {
  description: 'Something that happened to an account or to the service. Needs AUDIT_READ.',
  authScopes: { permission: 'AUDIT_READ' },
  fields: (t) => ({
    id: t.exposeID('id', { description: 'A UUID.' }),
    type: t.exposeString('type', { description: 'What happened, such as "login.succeeded".' }),
    at: t.expose('at', { type: 'DateTime', description: 'When.' }),
    actor: t.relation('actor', {
      nullable: true,
      authScopes: ({ actorId }) => (actorId === null ? true : { permission: 'USERS_READ', user: actorId }),
      description: 'Who did it. Null for nobody known and for who was deleted; needs USERS_READ or to be oneself.',
    }),
    subject: t.relation('subject', {
      nullable: true,
      authScopes: ({ subjectId }) => (subjectId === null ? true : { permission: 'USERS_READ', user: subjectId }),
      description: 'Whom it happened to. Null for nobody and for who was deleted; needs USERS_READ or to be oneself.',
    }),
    email: t.exposeString('email', { nullable: true, description: 'The address it was about, known or not.' }),
    ipAddress: t.exposeString('ipAddress', { nullable: true, description: 'Where it came from.' }),
    userAgent: t.exposeString('userAgent', { nullable: true, description: 'What the client called itself.' }),
    requestId: t.exposeString('requestId', {
      nullable: true,
      description: 'The `x-request-id` of the request, under which the log has more. Null for what came of none.',
    }),
    data: t.expose('data', { type: 'JSONObject', description: 'What else is known of it; never a secret.' }),
  }),
});

const AuditEventPageObject = pageType('AuditEventPage', 'The events of this page.', AuditEventObject);

const AuditEventFilterInput = builder.inputType('AuditEventFilter', {
  description: 'Which events; every condition that is given must hold.',
  fields: (t) => ({
    type: t.stringList({ description: 'Any of these types.' }),
    userId: t.id({ description: 'The user who did it or to whom it happened.' }),
    since: t.field({ type: 'DateTime', description: 'At this instant or later.' }),
    until: t.field({ type: 'DateTime', description: 'Before this instant.' }),
  }),
});

builder.queryField('auditEvents', (t) =>
  t.field({
    type: AuditEventPageObject,
    nullable: true,
    authScopes: { permission: 'AUDIT_READ' },
    description: 'A page of the audit events, the newest first. Needs AUDIT_READ.',
    args: { ...pageArguments, filter: t.arg({ type: AuditEventFilterInput, description: 'Which ones.' }) },
    resolve: (_root, { filter, ...page }, context, info) => {
      const { db } = context.app;
      const { type, userId, since, until } = filter ?? {};
      refuseUnstorable(['filter', 'type'], { ...type });
      if (typeof userId === 'string' && !isUuid(userId)) {
        refuseBadInput([{ path: ['filter', 'userId'], code: 'INVALID_ID', message: 'This is no user’s id.' }]);
      }
      refuseBadInput([...beforeTheCalendar('since', since), ...beforeTheCalendar('until', until)]);
      const where: Prisma.AuditEventWhereInput = {
        ...(type && { type: { in: type } }),
        ...(userId && { OR: [{ actorId: userId }, { subjectId: userId }] }),
        ...((since || until) && { at: { ...(since && { gte: since }), ...(until && { lt: until }) } }),
      };
      const inOrder: Prisma.AuditEventFindManyArgs = { where, orderBy: [{ at: 'desc' }, { id: 'desc' }] };
      const relations = selectedRelations(context, info);
      return readPage(page, {
        find: (stretch) => db.auditEvent.findMany({ ...inOrder, ...stretch, ...relations }),
        count: () => db.auditEvent.count({ where }),
        far: {
          findIds: (stretch) => db.auditEvent.findMany({ ...inOrder, ...stretch, select: { id: true } }),
          findRows: (ids) => db.auditEvent.findMany({ where: { id: { in: ids } }, ...relations }),
        },
      });
    },
  }),
);

/** PostgreSQL's calendar has no year 0, which RFC 3339 can write. */
function beforeTheCalendar(field: string, at: Date | null | undefined): readonly FieldProblem[] {
  if (!at || at.getUTCFullYear() > 0) return [];
  return [{ path: ['filter', field], code: 'TOO_SMALL', message: 'The first year is 1.' }];
}
