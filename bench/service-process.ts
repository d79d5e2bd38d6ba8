import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plan } from './plan.ts';
import { type ServerProcess, startServer } from './server-process.ts';

export type ServiceProcess = ServerProcess;

interface ServiceOptions {
  /** The checkout whose service it is. */
  readonly root: string;
  readonly database: Plan['database'];
  readonly environment: Readonly<Record<string, string>>;
}

/** The service as `npm start` starts it, in production mode, ready to answer. */
export function startService({ root, database, environment }: ServiceOptions): Promise<ServiceProcess> {
  const { databaseUrl, dataDirectory } = database;
  return startServer({
    arguments: startArguments(root),
    directory: root,
    readyPath: '/readyz',
    outputDirectory: dataDirectory,
    environment: (port) => ({
      MAIL_TRANSPORT: 'smtp',
      SMTP_URL: 'smtp://127.0.0.1:25',
      PORT: String(port),
      PUBLIC_URL: 'https://latchkey.test',
      DATA_DIR: dataDirectory,
      ...(databaseUrl === null ? { EMBEDDED_DATABASE: 'allow' } : { DATABASE_URL: databaseUrl }),
      ...environment,
    }),
  });
}

/** What comes after `node` in the start script of the checkout. */
function startArguments(root: string): readonly string[] {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return String(scripts.start).split(' ').slice(1);
}
