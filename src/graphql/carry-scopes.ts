import SchemaBuilder, { BasePlugin, type SchemaTypes } from '@pothos/core';
import {
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isObjectType,
} from 'graphql';

const PLUGIN_NAME = 'carryScopes';

/**
 * Carries the scopes that types and fields declare to the builder into directives of the subgraph schema, so that a
 * router can refuse early what is refused here anyway:
 *
 * - a permission and nothing besides is `@requiresScopes`, and every other guard is `@authenticated`, since a router cannot
 *   know who somebody is;
 * - what can be reached from a public field has neither, or a router would blank a login;
 * - `@tag` says whom a field is for, `admin` where it needs a permission and `public` for the other root fields, so that a
 *   contract can leave administration out.
 *
 * Only fields get directives: on a type they would hold wherever the type is reached.
 */
class CarryScopesPlugin<Types extends SchemaTypes> extends BasePlugin<Types> {
  override afterBuild(schema: GraphQLSchema): GraphQLSchema {
    const rootTypes = [schema.getQueryType(), schema.getMutationType()].filter((type) => type != null);
    const open = typesReachedWithoutViewer(schema, rootTypes);
    for (const type of Object.values(schema.getTypeMap())) {
      if (!isObjectType(type) || type.name.startsWith('__')) continue;
      const isRoot = rootTypes.includes(type);
      for (const field of Object.values(type.getFields())) {
        const guard = isRoot ? guardOfRootField(field) : guardOfField(type, field);
        const directives = [...(open.has(type) ? [] : authorizationOf(guard)), ...audienceOf(field, isRoot)];
        if (directives.length > 0)
          field.extensions = { ...field.extensions, directives: [...directivesOf(field), ...directives] };
      }
    }
    return schema;
  }
}

declare global {
  export namespace PothosSchemaTypes {
    export interface Plugins<Types extends SchemaTypes> {
      [PLUGIN_NAME]: CarryScopesPlugin<Types>;
    }
  }
}

SchemaBuilder.registerPlugin(PLUGIN_NAME, CarryScopesPlugin);

/** To be listed after the plugin of the scopes and that of federation. */
export const carryScopes = PLUGIN_NAME;

/** What a field asks of who asks: nothing, to be signed in, or these permissions as well. */
type Guard = 'nothing' | 'a viewer' | readonly string[];

type Declared = Pick<GraphQLObjectType, 'extensions'>;
type Field = ReturnType<GraphQLObjectType['getFields']>[string];

function typesReachedWithoutViewer(
  schema: GraphQLSchema,
  rootTypes: readonly GraphQLObjectType[],
): ReadonlySet<GraphQLNamedType> {
  const reached = new Set<GraphQLNamedType>();
  const pending = rootTypes
    .flatMap((type) => Object.values(type.getFields()))
    .filter((field) => guardOfRootField(field) === 'nothing')
    .map(({ type }): GraphQLNamedType => getNamedType(type));
  for (let type = pending.pop(); type !== undefined; type = pending.pop()) {
    if (reached.has(type)) continue;
    reached.add(type);
    if (isAbstractType(type)) pending.push(...schema.getPossibleTypes(type));
    if (isObjectType(type)) pending.push(...Object.values(type.getFields()).map((field) => getNamedType(field.type)));
  }
  return reached;
}

/** One that opts out of the guard of its type counts as public, whatever else it asks for. */
function guardOfRootField(field: Field): Guard {
  const { authScopes, skipTypeScopes } = optionsOf(field);
  if (skipTypeScopes === true) return 'nothing';
  const permission = purePermission(authScopes);
  return permission === null ? 'a viewer' : [permission];
}

/** Both guards must hold. That of the type by itself, when it is no pure permission, is kept by the ways to the type. */
function guardOfField(type: GraphQLObjectType, field: Field): Guard {
  const { authScopes, skipTypeScopes } = optionsOf(field);
  const permissions = [
    skipTypeScopes === true ? null : purePermission(optionsOf(type).authScopes),
    purePermission(authScopes),
  ];
  const needed = [...new Set(permissions.filter((permission) => permission !== null))];
  if (needed.length > 0) return needed;
  return authScopes === undefined ? 'nothing' : 'a viewer';
}

/** A map of scopes means any of them, so a permission is needed only where it stands alone; of a function nothing is known. */
function purePermission(authScopes: unknown): string | null {
  if (typeof authScopes !== 'object' || authScopes === null) return null;
  const [[name, value] = [], ...others] = Object.entries(authScopes);
  return name === 'permission' && typeof value === 'string' && others.length === 0 ? value : null;
}

function authorizationOf(guard: Guard): readonly Directive[] {
  if (guard === 'nothing') return [];
  if (guard === 'a viewer') return [{ name: 'authenticated', args: {} }];
  return [{ name: 'requiresScopes', args: { scopes: [guard] } }];
}

/** Types that are for administrators need no tag: a contract leaves out what cannot be reached any more. */
function audienceOf(field: Field, isRoot: boolean): readonly Directive[] {
  if (purePermission(optionsOf(field).authScopes) !== null) return [{ name: 'tag', args: { name: 'admin' } }];
  return isRoot ? [{ name: 'tag', args: { name: 'public' } }] : [];
}

interface Directive {
  readonly name: string;
  readonly args: object;
}

function directivesOf({ extensions }: Declared): readonly unknown[] {
  return Array.isArray(extensions.directives) ? extensions.directives : [];
}

/** As it was declared to the builder. */
function optionsOf({ extensions }: Declared): { readonly authScopes?: unknown; readonly skipTypeScopes?: unknown } {
  const { pothosOptions } = extensions;
  return typeof pothosOptions === 'object' && pothosOptions !== null ? pothosOptions : {};
}
