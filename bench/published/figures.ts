import type { BloatResult } from '../bloat.ts';
import type { EnduranceResult } from '../endurance.ts';
import { median } from '../median.ts';
import type { Performance } from '../performance.ts';
import type { Readiness } from '../ready.ts';
import type { Machine, MemoryUnderLoad, Results } from '../results.ts';
import type { ScaleOutResult } from '../scale-out.ts';

/** What the README shows of one or several runs. */
export interface Figures {
  readonly machine: Machine;
  /** Each operation was measured for so long. */
  readonly leastSeconds: number;
  /** On PostgreSQL. */
  readonly operations: readonly OperationFigures[];
  /** Those that were measured on the embedded database. */
  readonly embeddedOperations: readonly OperationFigures[];
  readonly isolation: { readonly service: IsolationFigures; readonly floor: IsolationFigures } | null;
  /** Of each frequent operation, what it takes of the processor with the most users, in parts of that with the fewest. */
  readonly growth: readonly { readonly scenario: string; readonly share: number }[];
  readonly scaleOut: readonly ScaleOutResult[];
  readonly memory: readonly MemoryFigures[];
  readonly endurance: readonly EnduranceResult[];
  readonly bloat: readonly BloatResult[];
  readonly ready: readonly Readiness[];
}

export interface OperationFigures {
  readonly scenario: string;
  readonly service: Performance;
  readonly floor: Performance;
  /** That the service makes; null when they were not counted. */
  readonly statements: number | null;
}

export interface MemoryFigures extends MemoryUnderLoad {
  /** What the load was. */
  readonly scenarios: readonly string[];
}

export interface IsolationFigures {
  readonly p50Milliseconds: number;
  readonly p99Milliseconds: number;
  /** The median of the rounds, of two the larger. */
  readonly middleP99Milliseconds: number;
  readonly loginsKept: number;
}

const SHOWN = ['login', 'refresh', 'me'];
/** The floor that the ratios are of. */
const FLOOR = /^Yoga/;

/**
 * Of several runs, the last that measured a thing on a database is shown for that thing and that database; of memory, the
 * last of those that measured the most operations there.
 *
 * @throws when they did not measure every operation that is shown on PostgreSQL, or are of several machines
 */
export function figuresOf(runs: readonly Results[]): Figures {
  const machine = machineOf(runs);
  const operations = operationsOf(runs, isOnPostgres);
  const missing = SHOWN.find((scenario) => !operations.some((operation) => operation.scenario === scenario));
  if (missing !== undefined) throw new Error(`no run measured ${missing} on PostgreSQL`);
  const isolation = lastOfEach(runs.map((run) => run.isolation));
  const [service, floor] = isolation.map(({ undisturbed, storm, steady }) => ({
    p50Milliseconds: steady.p50Milliseconds,
    p99Milliseconds: steady.p99Milliseconds,
    middleP99Milliseconds: median(steady.p99MillisecondsByRound),
    loginsKept: storm.perSecond / undisturbed.perSecond,
  }));
  return {
    machine,
    leastSeconds: Math.min(
      ...runs.filter(({ load }) => load.length > 0).map(({ seconds, rounds }) => seconds * rounds),
    ),
    operations,
    embeddedOperations: operationsOf(runs, isEmbedded),
    isolation: service === undefined || floor === undefined ? null : { service, floor },
    growth: lastOfEach(runs.map((run) => run.growth)).map(({ scenario, sizes }) => ({
      scenario,
      share: costOf(sizes.at(-1)?.performance) / costOf(sizes[0]?.performance),
    })),
    scaleOut: lastOfEach(runs.map((run) => run.scaleOut)),
    memory: [isOnPostgres, isEmbedded].flatMap((isWanted) => afterMostLoad(runs, isWanted)),
    endurance: lastOfEach(runs.map((run) => run.endurance)),
    bloat: lastOfEach(runs.map((run) => run.bloat)),
    ready: lastOfEach(runs.map((run) => run.ready)),
  };
}

/** With the most that ran beside any of them. */
function machineOf(runs: readonly Results[]): Machine {
  const [first, ...others] = runs.map(({ machine }) => machine);
  if (first === undefined) throw new Error('there are no runs');
  if (
    others.some(
      ({ processor, cores, node }) => first.processor !== processor || first.cores !== cores || first.node !== node,
    )
  ) {
    throw new Error('these runs are of several machines');
  }
  return { ...first, loadBefore: Math.max(...runs.map(({ machine }) => machine.loadBefore)) };
}

interface OnDatabase {
  readonly database: string;
}

function operationsOf(runs: readonly Results[], isWanted: (row: OnDatabase) => boolean): readonly OperationFigures[] {
  const statements = lastOf(runs.map((run) => run.statements));
  return SHOWN.flatMap((scenario) => {
    const results = lastOf(
      runs.map(({ load }) => load.filter((result) => result.scenario === scenario && isWanted(result))),
    );
    const counted = statements.find(({ operation }) => operation === scenario)?.count ?? null;
    return results.flatMap(({ service, others }) => {
      const floor = others.find(({ contender }) => FLOOR.test(contender));
      return floor === undefined ? [] : [{ scenario, service, floor, statements: counted }];
    });
  });
}

function afterMostLoad(runs: readonly Results[], isWanted: (row: OnDatabase) => boolean): readonly MemoryFigures[] {
  const found = runs.flatMap(({ memory, load }) => {
    const before = load.filter(isWanted).map(({ scenario }) => scenario);
    return memory.filter(isWanted).map((row) => ({ ...row, scenarios: [...new Set(before)] }));
  });
  const most = Math.max(...found.map(({ scenarios }) => scenarios.length));
  return found.filter(({ scenarios }) => scenarios.length === most).slice(-1);
}

/** PostgreSQL first. */
function lastOfEach<Row extends OnDatabase>(sections: readonly (readonly Row[])[]): readonly Row[] {
  return [isOnPostgres, isEmbedded].flatMap((isWanted) => lastOf(sections.map((rows) => rows.filter(isWanted))));
}

function lastOf<Row>(sections: readonly (readonly Row[])[]): readonly Row[] {
  return sections.findLast((rows) => rows.length > 0) ?? [];
}

function isOnPostgres({ database }: OnDatabase): boolean {
  return database.startsWith('PostgreSQL');
}

function isEmbedded(row: OnDatabase): boolean {
  return !isOnPostgres(row);
}

/** The service's and the database's share of the processor. */
function costOf(performance: Performance | undefined): number {
  const { processorMillisecondsEach, databaseProcessorMillisecondsEach } = performance ?? {};
  return (processorMillisecondsEach ?? Number.NaN) + (databaseProcessorMillisecondsEach ?? Number.NaN);
}
