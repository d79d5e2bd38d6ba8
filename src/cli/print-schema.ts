import { Command } from 'commander';

export const printSchemaCommand = new Command('print-schema')
  .description('print the subgraph schema')
  .option('--without-scopes', 'leave out @authenticated and @requiresScopes, which @apollo/gateway does not know')
  .action(async (options: { readonly withoutScopes?: true }) => {
    // Loaded here, since it takes longer than what the other commands do.
    const { printSchema, withoutScopes } = await import('../print-schema.ts');
    const schema = printSchema();
    process.stdout.write(options.withoutScopes ? withoutScopes(schema) : schema);
  });
