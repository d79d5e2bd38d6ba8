import SchemaBuilder from '@pothos/core';
import DirectivesPlugin from '@pothos/plugin-directives';
import ErrorsPlugin from '@pothos/plugin-errors';
import FederationPlugin from '@pothos/plugin-federation';
import PrismaPlugin from '@pothos/plugin-prisma';
import ScopeAuthPlugin from '@pothos/plugin-scope-auth';
import { DateTimeResolver, EmailAddressResolver, JSONObjectResolver, JWTResolver } from 'graphql-scalars';
import type { Permission } from '../auth/permissions.ts';
import type PrismaTypes from '../database/generated/pothos.ts';
import { getDatamodel } from '../database/generated/pothos.ts';
import { carryScopes } from './carry-scopes.ts';
import type { Context } from './context.ts';
import { unauthorizedError } from './errors.ts';
import { loadScopes } from './scopes.ts';

interface SchemaTypes {
  DefaultFieldNullability: false;
  Context: Context;
  PrismaTypes: PrismaTypes;
  AuthScopes: {
    /** Signed in. */
    authenticated: boolean;
    /** Holds the role of this name. */
    role: string;
    permission: Permission;
    /** Is the user with this id. */
    user: string;
    /** Is the user with this address, in whatever form it is written. */
    email: string;
  };
  Scalars: {
    DateTime: { Input: Date; Output: Date };
    EmailAddress: { Input: string; Output: string };
    JWT: { Input: string; Output: string };
    JSONObject: { Input: Record<string, unknown>; Output: unknown };
    ID: { Input: string; Output: string };
  };
}

export const builder = new SchemaBuilder<SchemaTypes>({
  // ScopeAuth stands before Errors, so that a refusal is a top-level error and never a member of a result union.
  plugins: [ScopeAuthPlugin, ErrorsPlugin, PrismaPlugin, DirectivesPlugin, FederationPlugin, carryScopes],
  defaultFieldNullability: false,
  scopeAuth: { authScopes: loadScopes, unauthorizedError },
  errors: {
    directResult: true,
    defaultUnionOptions: { name: ({ fieldName }) => `${fieldName.charAt(0).toUpperCase()}${fieldName.slice(1)}Result` },
  },
  prisma: { client: (context) => context.app.db, dmmf: getDatamodel() },
});

builder.addScalarType('DateTime', DateTimeResolver);
builder.addScalarType('EmailAddress', EmailAddressResolver);
builder.addScalarType('JWT', JWTResolver);
builder.addScalarType('JSONObject', JSONObjectResolver);

// Deny by default: a root field is for signed-in viewers unless it says otherwise (`authScopes`) or opts out by name
// (`skipTypeScopes`, held to a list by a test). Root fields are nullable, so that one refusal blanks no sibling.
builder.queryType({ authScopes: { authenticated: true }, description: 'What can be asked.' });
builder.mutationType({ authScopes: { authenticated: true }, description: 'What can be done.' });
