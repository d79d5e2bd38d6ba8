import { z } from 'zod';
import type { App } from '../app.ts';
import { defineJob, type JobReference } from '../jobs/job.ts';
import { housekeep } from './service.ts';

const HOUR_SECONDS = 3600;
/** Less than a job may take. */
const AT_A_STRETCH_MILLISECONDS = 40_000;

const housekeepingDue: JobReference<Readonly<Record<string, never>>> = {
  name: 'housekeeping',
  payload: z.strictObject({}),
  tries: 3,
};

/** Once an hour, on one instance; in several jobs when there is much to do. */
export const housekeeping = defineJob({
  ...housekeepingDue,
  everySeconds: HOUR_SECONDS,
  retries: { firstDelaySeconds: 60, longestDelaySeconds: 600 },
  run: async (app: App, _payload, signal) => {
    const { isDone } = await housekeep(app, AbortSignal.any([signal, AbortSignal.timeout(AT_A_STRETCH_MILLISECONDS)]));
    signal.throwIfAborted();
    if (!isDone) await app.queue.enqueue(app.db, housekeepingDue, {});
  },
});
