// DATABASE_URL, PORT, HOST and SESSION_SECRET say the rest.

import { createAuth } from '@keystone-6/auth';
import { config, list } from '@keystone-6/core';
import { denyAll } from '@keystone-6/core/access';
import { password, text } from '@keystone-6/core/fields';
import { statelessSessions } from '@keystone-6/core/session';
import { PrismaPg } from '@prisma/adapter-pg';

interface Signed {
  readonly session?: { readonly itemId: string };
}

/** Everybody sees and changes themselves, as in Keystone's own example of sign-in. */
const own = ({ session }: Signed) => (session === undefined ? false : { id: { equals: session.itemId } });

const { withAuth } = createAuth({
  listKey: 'User',
  identityField: 'email',
  secretField: 'password',
  sessionData: 'id email name',
});

export default withAuth(
  config({
    db: {
      provider: 'postgresql',
      prismaClientOptions: () => ({ adapter: new PrismaPg({ connectionString: process.env.DATABASE_URL ?? '' }) }),
    },
    lists: {
      User: list({
        access: {
          operation: { query: () => true, update: () => true, create: denyAll, delete: denyAll },
          filter: { query: own, update: own },
        },
        fields: {
          name: text({ validation: { isRequired: true } }),
          email: text({ validation: { isRequired: true }, isIndexed: 'unique' }),
          password: password({ validation: { isRequired: true } }),
        },
      }),
    },
    session: statelessSessions({
      secret: process.env.SESSION_SECRET ?? 'only while it is built, and for nothing else',
    }),
    telemetry: false,
    // Its administrators' pages are not measured, and would have to be built first.
    ui: { isDisabled: true },
  }),
);
