import { Command } from 'commander';

export const serveCommand = new Command('serve')
  .description('serve until SIGTERM or SIGINT, as `npm start` does')
  .action(async () => {
    await import('../main.ts');
  });
