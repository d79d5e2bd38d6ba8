import type { GraphQLSchema } from 'graphql';
import { builder } from './graphql/builder.ts';
import { guardReferences } from './graphql/entity-references.ts';
import { toSubgraphSchema } from './graphql/subgraph.ts';
import './graphql/error-types.ts';
import './audit/schema.ts';
import './roles/schema.ts';
import './tokens/schema.ts';
import './users/schema.ts';
import './users/administration.ts';
import './users/roles.ts';
import './verification/schema.ts';
import './email-change/schema.ts';
import './oauth/schema.ts';
import './passwords/schema.ts';
import './recovery/schema.ts';
import './registration/schema.ts';
import './invitations/schema.ts';
import './invitations/administration.ts';
import './sessions/schema.ts';

/** What the subgraph schema uses of the federation's directives. */
const DIRECTIVES = ['@authenticated', '@key', '@requiresScopes', '@shareable', '@tag'];

/** The whole API, as a federation subgraph (`_service`, `_entities`) or, without federation, by itself. */
export function buildSchema({ federation }: { readonly federation: boolean }): GraphQLSchema {
  if (!federation) return builder.toSchema();
  const link = { name: 'link', args: { url: 'https://specs.apollo.dev/federation/v2.6', import: DIRECTIVES } };
  return guardReferences(toSubgraphSchema(builder.toSchema({ sortSchema: false, extensions: { directives: [link] } })));
}
