import { parseArgs } from 'node:util';

export interface SoakOptions {
  readonly logins: number;
  readonly queries: number;
  readonly requests: number;
  /** After which nothing new is asked. */
  readonly minutes: number;
}

const DEFAULTS = { logins: '100000', queries: '200000', requests: '0', minutes: '60' };

export const USAGE = `npm run soak -- [--logins N] [--queries N] [--requests N] [--minutes N]

  --logins     sign-ins, each with its sign-out (${DEFAULTS.logins})
  --queries    queries that differ in their text (${DEFAULTS.queries})
  --requests   the same query for \`me\` (${DEFAULTS.requests})
  --minutes    the longest that all of it may take (${DEFAULTS.minutes})
`;

/** What the arguments ask for, or null when they ask for what is not there. */
export function readSoakOptions(args: readonly string[]): SoakOptions | null {
  const values = parse(args);
  if (values === null) return null;
  const [logins, queries, requests, minutes] = [values.logins, values.queries, values.requests, values.minutes].map(
    Number,
  );
  if (!isCount(logins) || !isCount(queries) || !isCount(requests) || !isCount(minutes) || minutes === 0) return null;
  return { logins, queries, requests, minutes };
}

function isCount(value: number | undefined): value is number {
  return value !== undefined && Number.isSafeInteger(value) && value >= 0;
}

function parse(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        logins: { type: 'string', default: DEFAULTS.logins },
        queries: { type: 'string', default: DEFAULTS.queries },
        requests: { type: 'string', default: DEFAULTS.requests },
        minutes: { type: 'string', default: DEFAULTS.minutes },
      },
    });
    return values;
  } catch {
    return null;
  }
}
