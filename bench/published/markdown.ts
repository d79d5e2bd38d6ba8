import { median } from '../median.ts';
import type { ScaleOutResult } from '../scale-out.ts';
import type { Figures, OperationFigures } from './figures.ts';

/** The figures as the README shows them: a table, and a sentence for each of what else was measured. */
export function markdownOf(figures: Figures): string {
  return [
    tableOf(figures.operations),
    sentencesOf(figures)
      .map((sentence) => `- ${sentence}`)
      .join('\n'),
  ].join('\n\n');
}

/** Nobody but us. */
const IDLE_LOAD = 0.5;

const HEADINGS = ['', 'connections', 'a second', 'p50', 'p99', 'processor', 'statements', 'of the floor'];

function tableOf(operations: readonly OperationFigures[]): string {
  const rows = operations.map(({ scenario, service, floor, statements }) => [
    nameOf(scenario),
    String(service.connections),
    count(service.perSecond),
    milliseconds(service.p50Milliseconds),
    milliseconds(service.p99Milliseconds),
    milliseconds(service.processorMillisecondsEach),
    statements === null ? '–' : statements.toFixed(1).replace('.0', ''),
    percent(service.perSecond / floor.perSecond),
  ]);
  const separators = HEADINGS.map(() => '---').join('|');
  return [`| ${HEADINGS.join(' | ')} |`.replace('|  |', '| |'), `|${separators}|`, ...rows.map(rowOf)].join('\n');
}

function rowOf(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function sentencesOf(figures: Figures): readonly string[] {
  return [
    `Measured on ${machineOf(figures)}, each operation for at least ${figures.leastSeconds} s.`,
    ...embeddedSentence(figures),
    ...isolationSentence(figures),
    ...growthSentence(figures),
    ...scaleOutSentence(figures),
    ...bloatSentence(figures),
    ...memorySentences(figures),
    ...readySentence(figures),
  ];
}

/** Where, and beside what, it was measured. */
export function machineOf({ machine }: Pick<Figures, 'machine'>): string {
  const { processor, cores, memoryGibibytes, node, loadBefore } = machine;
  const others = loadBefore < IDLE_LOAD ? '' : `, other work (load ${loadBefore.toFixed(0)})`;
  return `${cores} cores (${processor}, ${memoryGibibytes.toFixed(0)} GiB, Node ${node}) shared with PostgreSQL${others} and the load generator`;
}

/** Of the connections that the ratios are about. */
const CONNECTIONS = 32;

function embeddedSentence({ embeddedOperations }: Figures): readonly string[] {
  const each = embeddedOperations
    .filter(({ service }) => service.connections === CONNECTIONS)
    .map(
      ({ scenario, service, floor }) =>
        `${nameOf(scenario)} ${count(service.perSecond)} a second (${percent(service.perSecond / floor.perSecond)} of the floor)`,
    );
  return each.length === 0 ? [] : [`On the embedded database, at ${CONNECTIONS} connections: ${each.join(', ')}.`];
}

function isolationSentence({ isolation }: Figures): readonly string[] {
  if (isolation === null) return [];
  const { service, floor } = isolation;
  return [
    `\`me\` at a steady 100 a second, while 32 connections sign in: p50 ${milliseconds(service.p50Milliseconds)}, p99 ${milliseconds(service.p99Milliseconds)}, in the middle one of the rounds ${milliseconds(service.middleP99Milliseconds)}, and ${percent(service.loginsKept)} of the sign-ins are kept (the floor: ${milliseconds(floor.p50Milliseconds)}, ${milliseconds(floor.p99Milliseconds)}, ${milliseconds(floor.middleP99Milliseconds)}, ${percent(floor.loginsKept)}).`,
  ];
}

function growthSentence({ growth }: Figures): readonly string[] {
  if (growth.length === 0) return [];
  const shares = growth.map(({ scenario, share }) => `\`${scenario}\` ${percent(share)}`).join(', ');
  return [`With a million users and sessions, a request's processor time in parts of that with a thousand: ${shares}.`];
}

function scaleOutSentence({ scaleOut }: Figures): readonly string[] {
  const free = scaleOut.filter(({ coreShare }) => coreShare === undefined);
  const held = scaleOut.filter(({ coreShare }) => coreShare !== undefined);
  const share = held[0]?.coreShare;
  return [
    ...(free.length === 0 ? [] : [`\`me\` at ${CONNECTIONS} connections: ${byWorkers(free)}.`]),
    ...(share === undefined
      ? []
      : [
          `The same while a control group's quota holds each process of the service to ${percent(share)} of a core, so that neither PostgreSQL nor the load generator is the limit: ${byWorkers(held)}, ${ratio(held)} as many.`,
        ]),
  ];
}

function byWorkers(results: readonly ScaleOutResult[]): string {
  return results
    .map(
      ({ workers, performance }) =>
        `${count(performance.perSecond)} a second and ${milliseconds(performance.processorMillisecondsEach)} of the processor each with \`WORKERS=${workers}\``,
    )
    .join(', ');
}

/** Of the last to the first. */
function ratio(results: readonly ScaleOutResult[]): string {
  const [first, last] = [results[0], results.at(-1)].map((result) => result?.performance.perSecond ?? Number.NaN);
  return `${((last ?? Number.NaN) / (first ?? Number.NaN)).toFixed(2)} times`;
}

function bloatSentence({ bloat }: Figures): readonly string[] {
  return bloat.map(
    ({ refreshes, sessions, heapOnlyShare, table, waves }) =>
      `After ${count(refreshes)} refreshes of ${count(sessions)} sessions the table takes ${kibibytes(table.after)} instead of ${kibibytes(table.before)}; ${percent(heapOnlyShare)} of the updates touched no index. With its indexes it takes ${waves.bytes.map(kibibytes).join(', then ')} after ${count(waves.sessions)} more came and were deleted, each time.`,
  );
}

function memorySentences({ memory, endurance }: Figures): readonly string[] {
  const underLoad = memory.map(
    ({ database, idle, afterLoad, scenarios }) =>
      `${mebibytes(idle.residentMebibytes)} idle and ${mebibytes(afterLoad.residentMebibytes)} after ${scenarios.map(nameOf).join(', ')} (${database})`,
  );
  const overRequests = endurance.map(({ points }) => {
    const [, second] = points;
    const end = points.at(-1);
    return `${mebibytes(second?.residentMebibytes)} after ${count(second?.requests)} requests of all kinds, ${mebibytes(end?.residentMebibytes)} after ${count(end?.requests)}`;
  });
  const all = [...underLoad, ...overRequests];
  return all.length === 0 ? [] : [`Resident memory: ${all.join(', ')}.`];
}

function readySentence({ ready }: Figures): readonly string[] {
  if (ready.length === 0) return [];
  const boots = ready.map(({ database, boot, readySeconds }) => {
    return `${median(readySeconds).toFixed(2)} s on ${boot === 'first' ? 'an empty' : 'a known'} database (${database})`;
  });
  return [`From the start of the process to the first answer of \`/readyz\`: ${boots.join(', ')}.`];
}

function nameOf(scenario: string): string {
  return scenario === 'me' ? '`me`' : scenario;
}

export function count(value: number | undefined): string {
  return value === undefined ? '–' : Math.round(value).toLocaleString('en');
}

export function milliseconds(value: number | null): string {
  if (value === null) return '–';
  return `${value < 10 ? value.toFixed(value < 1 ? 2 : 1) : count(value)} ms`;
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}

function kibibytes(bytes: number): string {
  return `${count(bytes / 1024)} KiB`;
}

function mebibytes(value: number | undefined): string {
  return `${count(value)} MiB`;
}
