import { z } from 'zod';
import type { App } from '../app.ts';
import { refused } from '../fields/input.ts';
import { instantIn } from '../tokens/service.ts';

const DAY_SECONDS = 86_400;
const MAX_DAYS = 365;

/** For how many days an invitation is good: 1 to 365; null where the service decides. */
export const daysField = z
  .number()
  .nullish()
  .transform((days, context) => {
    if (days === null || days === undefined) return null;
    if (days < 1) return refused(context, 'TOO_SMALL', 'An invitation is good for at least 1 day.');
    if (days > MAX_DAYS) return refused(context, 'TOO_LARGE', `An invitation is good for at most ${MAX_DAYS} days.`);
    return days;
  });

/** When an invitation ends that is sent now. Without a number of days: as INVITATION_TTL_DAYS says. */
export function expiryIn(app: App, days: number | null): Date {
  return instantIn(app, (days ?? app.config.invitationTtlDays) * DAY_SECONDS);
}
