import type { BloatResult } from '../bloat.ts';
import type { EnduranceResult } from '../endurance.ts';
import type { Performance } from '../performance.ts';
import type { Readiness } from '../ready.ts';
import type { LoadResult, Machine, MemoryUnderLoad, Results } from '../results.ts';

/** What the README shows of one or several runs. */
export interface Figures {
  readonly machine: Machine;
  readonly operations: readonly OperationFigures[];
  readonly isolation: { readonly service: IsolationFigures; readonly floor: IsolationFigures } | null;
  /** Of each frequent operation, what it takes of the processor with the most users, in parts of that with the fewest. */
  readonly growth: readonly { readonly scenario: string; readonly share: number }[];
  /** What `me` takes of the processor, by the number of processes. */
  readonly scaleOut: readonly { readonly workers: number; readonly performance: Performance }[];
  readonly memory: readonly MemoryUnderLoad[];
  readonly endurance: readonly EnduranceResult[];
  readonly bloat: readonly BloatResult[];
  readonly ready: readonly Readiness[];
}

/** On PostgreSQL. */
export interface OperationFigures {
  readonly scenario: string;
  readonly service: Performance;
  readonly floor: Performance;
  /** That the service makes; null when they were not counted. */
  readonly statements: number | null;
}

interface IsolationFigures {
  readonly p50Milliseconds: number;
  readonly p99Milliseconds: number;
  readonly loginsKept: number;
}

const SHOWN = ['login', 'refresh', 'me'];
/** The floor that the ratios are of. */
const FLOOR = /^Yoga/;

/** Of what several runs measured, the last is shown. @throws when they did not measure every operation that is shown */
export function figuresOf(runs: readonly Results[]): Figures {
  const [firstRun] = runs;
  if (firstRun === undefined) throw new Error('there are no runs');
  const operations = SHOWN.flatMap((scenario) => operationsOf(runs, scenario));
  const isolation = lastOf(runs.map((run) => run.isolation));
  const [service, floor] = isolation.map(({ undisturbed, storm, steady }) => ({
    p50Milliseconds: steady.p50Milliseconds,
    p99Milliseconds: steady.p99Milliseconds,
    loginsKept: storm.perSecond / undisturbed.perSecond,
  }));
  return {
    machine: firstRun.machine,
    operations,
    isolation: service === undefined || floor === undefined ? null : { service, floor },
    growth: lastOf(runs.map((run) => run.growth)).map(({ scenario, sizes }) => ({
      scenario,
      share: costOf(sizes.at(-1)?.performance) / costOf(sizes[0]?.performance),
    })),
    scaleOut: lastOf(runs.map((run) => run.scaleOut)),
    memory: lastOf(runs.map((run) => run.memory)),
    endurance: lastOf(runs.map((run) => run.endurance)),
    bloat: lastOf(runs.map((run) => run.bloat)),
    ready: lastOf(runs.map((run) => run.ready)),
  };
}

function operationsOf(runs: readonly Results[], scenario: string): readonly OperationFigures[] {
  const results = lastOf(
    runs.map(({ load }) => load.filter((result) => result.scenario === scenario && isOnPostgres(result))),
  );
  if (results.length === 0) throw new Error(`no run measured ${scenario} on PostgreSQL`);
  const statements =
    lastOf(runs.map((run) => run.statements)).find(({ operation }) => operation === scenario)?.count ?? null;
  return results.flatMap(({ service, others }) => {
    const floor = others.find(({ contender }) => FLOOR.test(contender));
    return floor === undefined ? [] : [{ scenario, service, floor, statements }];
  });
}

function isOnPostgres({ database }: LoadResult): boolean {
  return database.startsWith('PostgreSQL');
}

function lastOf<Row>(rows: readonly (readonly Row[])[]): readonly Row[] {
  return rows.findLast((row) => row.length > 0) ?? [];
}

/** The service's and the database's share of the processor. */
function costOf(performance: Performance | undefined): number {
  const { processorMillisecondsEach, databaseProcessorMillisecondsEach } = performance ?? {};
  return (processorMillisecondsEach ?? Number.NaN) + (databaseProcessorMillisecondsEach ?? Number.NaN);
}
