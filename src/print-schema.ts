import { printSubgraphSchema } from '@apollo/subgraph';
import { buildSchema } from './schema.ts';

/** The public schema as subgraph SDL, which is what a gateway composes and what `schema.graphql` holds. */
export function printSchema(): string {
  return `${printSubgraphSchema(buildSchema({ federation: true })).trimEnd()}\n`;
}
