import type { App } from './app.ts';
import type { Config } from './config.ts';
import { housekeeping } from './housekeeping/job.ts';
import type { Job } from './jobs/job.ts';
import { createRunner, type Runner } from './jobs/runner.ts';
import { sendMail } from './mail/send.ts';
import { passwordResetRequested } from './recovery/request.ts';
import { emailVerificationRequested } from './verification/service.ts';

/** Every job there is. */
const jobs: readonly Job<App>[] = [
  sendMail.work,
  emailVerificationRequested.work,
  passwordResetRequested.work,
  housekeeping.work,
];

/** Runs jobs when it is told to. */
export function createWorker(app: App): Runner {
  const { queue, log, metrics } = app;
  return createRunner({
    queue,
    jobs,
    context: app,
    log,
    onTried: (job, outcome, seconds) => {
      metrics?.jobs.inc({ job, outcome });
      metrics?.jobSeconds.observe({ job }, seconds);
    },
  });
}

/** Jobs are run from now on, beside whatever else this process does. */
export function startWorker(app: App): Runner {
  const worker = createWorker(app);
  worker.start();
  return worker;
}

/** Ends early enough for what was not done in time to be put back before the process is ended. */
export function jobGraceSeconds({ shutdownTimeoutSeconds }: Pick<Config, 'shutdownTimeoutSeconds'>): number {
  return shutdownTimeoutSeconds * 0.8;
}
