import { Command } from 'commander';

export const printSchemaCommand = new Command('print-schema')
  .description('print the subgraph schema')
  .action(async () => {
    // Loaded here, since it takes longer than what the other commands do.
    const { printSchema } = await import('../print-schema.ts');
    process.stdout.write(printSchema());
  });
