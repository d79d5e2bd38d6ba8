import { printSubgraphSchema } from '@apollo/subgraph';
import { Kind, parse, print, visit } from 'graphql';
import { buildSchema } from './schema.ts';

/** The public schema as subgraph SDL, which is what a gateway composes and what `schema.graphql` holds. */
export function printSchema(): string {
  return `${printSubgraphSchema(buildSchema({ federation: true })).trimEnd()}\n`;
}

const SCOPE_DIRECTIVES: ReadonlySet<string> = new Set(['authenticated', 'requiresScopes']);

/**
 * The same subgraph for gateways that enforce no scopes: `@apollo/gateway` refuses a graph that has some. The subgraph
 * refuses what it refuses all the same.
 */
export function withoutScopes(sdl: string): string {
  const stripped = visit(parse(sdl), {
    Directive: ({ name }) => (SCOPE_DIRECTIVES.has(name.value) ? null : undefined),
    // What `@link` imports.
    ListValue: (node) => ({
      ...node,
      values: node.values.filter(
        (value) => value.kind !== Kind.STRING || !SCOPE_DIRECTIVES.has(value.value.replace('@', '')),
      ),
    }),
  });
  return `${print(stripped)}\n`;
}
