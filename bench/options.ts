import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { loadScenarios } from './load-scenarios.ts';

export interface Options {
  readonly scenarios: ReadonlySet<string>;
  /** How long one contender is measured in one round. */
  readonly seconds: number;
  readonly rounds: number;
  /** How many the scenario `endurance` makes. */
  readonly requests: number;
  readonly databases: ReadonlySet<string>;
  /** Whether the README is to show what this run finds out. */
  readonly publish: boolean;
  /** Another checkout, to be measured beside this one. */
  readonly against: string | null;
}

const ALL_SCENARIOS = [
  ...['ready', 'statements', ...loadScenarios.map(({ name }) => name)],
  ...['isolation', 'scale-out', 'bloat', 'growth', 'endurance', 'lists', 'invitations'],
];
const ALL_DATABASES = ['postgres', 'embedded'];

/** One says little that another does not; the others first make millions of rows, or as many requests as it takes. */
const ONLY_WHEN_ASKED = ['me-with-roles', 'growth', 'endurance', 'lists', 'invitations'];
const DEFAULT_SCENARIOS = ALL_SCENARIOS.filter((name) => !ONLY_WHEN_ASKED.includes(name));

export const USAGE = `npm run bench -- [scenario…] [--seconds N] [--rounds N] [--requests N] [--database D]… [--against DIRECTORY] [--publish]

  scenario     ${ALL_SCENARIOS.join(', ')}; without any: all but ${ONLY_WHEN_ASKED.join(', ')}, in about seventeen minutes
  --seconds    for each contender in each round (2; isolation: at least 10); the warm-up before does not count
  --rounds     in which contenders take turns (5): ten seconds for each measurement
  --requests   of endurance (100000)
  --database   ${ALL_DATABASES.join(' or ')}; without any: both
  --against    another checkout with the same tables, whose service is measured in turn with this one's
  --publish    in the README; of several runs: node bench/publish.ts RESULTS.json…
`;

/** What the arguments ask for, or null when they ask for what is not there. */
export function readOptions(args: readonly string[]): Options | null {
  const parsed = parse(args);
  if (parsed === null) return null;
  const { positionals, values } = parsed;
  const seconds = Number(values.seconds);
  const rounds = Number(values.rounds);
  const requests = Number(values.requests);
  const areKnown = (names: readonly string[], known: readonly string[]) => names.every((name) => known.includes(name));
  if (!areKnown(positionals, ALL_SCENARIOS) || !areKnown(values.database, ALL_DATABASES)) return null;
  if (!(seconds > 0) || !(Number.isInteger(rounds) && rounds > 0)) return null;
  if (!(Number.isInteger(requests) && requests > 0)) return null;
  return {
    scenarios: new Set(positionals.length === 0 ? DEFAULT_SCENARIOS : positionals),
    seconds,
    rounds,
    requests,
    databases: new Set(values.database),
    publish: values.publish,
    against: values.against === undefined ? null : resolve(values.against),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        seconds: { type: 'string', default: '2' },
        rounds: { type: 'string', default: '5' },
        requests: { type: 'string', default: '100000' },
        database: { type: 'string', multiple: true, default: ALL_DATABASES },
        publish: { type: 'boolean', default: false },
        against: { type: 'string' },
      },
    });
  } catch {
    return null;
  }
}
