import type { App } from './app.ts';
import type { Config } from './config.ts';
import type { Database } from './database/client.ts';
import { housekeeping } from './housekeeping/job.ts';
import type { Job } from './jobs/job.ts';
import { createRunner, type Runner } from './jobs/runner.ts';
import { sendMail } from './mail/send.ts';
import { passwordResetRequested } from './recovery/request.ts';
import { emailVerificationRequested } from './verification/service.ts';

/** Parts of the time that shutting down may take. */
const DATABASE_GRACE = 0.6;
const DATABASE_LAST_CHANCE = 0.1;
const JOB_GRACE = 0.8;

/** Every job there is. */
const jobs: readonly Job<App>[] = [
  sendMail.work,
  emailVerificationRequested.work,
  passwordResetRequested.work,
  housekeeping.work,
];

/** Runs jobs when it is told to. */
export function createWorker(app: App): Runner {
  return createRunner({ queue: app.queue, jobs, context: app, log: app.log });
}

/** Jobs are run from now on, beside whatever else this process does. */
export function startWorker(app: App): Runner {
  const worker = createWorker(app);
  worker.start();
  return worker;
}

/**
 * When most of the time has passed, nothing waits any longer for a database that does not answer: requests and jobs in flight
 * end with an error while there is still time to say so, and then the process can end.
 *
 * @returns takes it back
 */
export function giveUpSilentDatabase(
  { shutdownTimeoutSeconds }: Pick<Config, 'shutdownTimeoutSeconds'>,
  database: Database | undefined,
): () => void {
  const timer = setTimeout(
    () => void database?.giveUpUnlessAnswered(shutdownTimeoutSeconds * DATABASE_LAST_CHANCE * 1000),
    shutdownTimeoutSeconds * DATABASE_GRACE * 1000,
  ).unref();
  return () => clearTimeout(timer);
}

/** Ends early enough for what was not done in time to be put back before the process is ended. */
export function jobGraceSeconds({ shutdownTimeoutSeconds }: Pick<Config, 'shutdownTimeoutSeconds'>): number {
  return shutdownTimeoutSeconds * JOB_GRACE;
}
