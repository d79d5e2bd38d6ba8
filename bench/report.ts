import { median } from './median.ts';
import type { Performance } from './performance.ts';
import type { Results } from './results.ts';
import { formatTable, type Heading } from './table.ts';

/** What a run found out, for a person to read. */
export function report(results: Results): string {
  const { processor, cores, memoryGibibytes, system, node, loadBefore } = results.machine;
  const sections = [
    `${cores} × ${processor}, ${memoryGibibytes.toFixed(0)} GiB, ${system}, Node ${node}; everything on this one machine, at a load of ${loadBefore.toFixed(1)} before`,
    section('Load', loadTable(results), results.load.length),
    section('From process start to the first 200 of /readyz', readyTable(results), results.ready.length),
    section('Resident memory in MiB', memoryTable(results), results.memory.length),
    section('SQL statements a request, BEGIN and COMMIT included', statementTable(results), results.statements.length),
    section('me at a steady rate while 32 connections sign in', isolationTable(results), results.isolation.length),
    section(
      'me with so many processes, and with each of them held to a share of a core where the system lets us',
      scaleOutTable(results),
      results.scaleOut.length,
    ),
    section('With few users and with many, as many sessions', growthTable(results), results.growth.length),
    section('The table of sessions after refreshes', bloatTable(results), results.bloat.length),
    section('Resident memory after so many requests', enduranceTable(results), results.endurance.length),
    section('Pages of lists of a million', listTable(results), results.lists.length),
  ];
  return sections.filter((text) => text !== '').join('\n\n');
}

function section(title: string, table: string, rows: number): string {
  return rows === 0 ? '' : `${title}\n\n${table}`;
}

const number = (title: string): Heading => ({ title, isNumber: true });
const text = (title: string): Heading => ({ title });

function loadTable({ load }: Results): string {
  const headings = [
    text('database'),
    text('scenario'),
    number('connections'),
    text('what'),
    number('a second'),
    number('p50 ms'),
    number('p99 ms'),
    number('processor ms each'),
    number('of PostgreSQL'),
    number('the service does'),
  ];
  const rows = load.flatMap(({ database, scenario, service, others }) => [
    [database, scenario, String(service.connections), ...performanceCells(service), ''],
    ...others.map((other) => [
      ...['', '', ''],
      ...performanceCells(other),
      `${percent(service.perSecond / other.perSecond)} of it`,
    ]),
  ]);
  return formatTable(headings, rows);
}

function performanceCells(performance: Performance): string[] {
  const { contender, perSecond, p50Milliseconds, p99Milliseconds } = performance;
  return [
    contender,
    rate(perSecond),
    milliseconds(p50Milliseconds),
    milliseconds(p99Milliseconds),
    milliseconds(performance.processorMillisecondsEach),
    milliseconds(performance.databaseProcessorMillisecondsEach),
  ];
}

function readyTable({ ready }: Results): string {
  const headings = [text('database'), text('boot'), number('median s'), number('slowest s'), number('peak MiB')];
  const rows = ready.map(({ database, boot, readySeconds, peakMebibytes }) => {
    const slowest = Math.max(...readySeconds);
    return [database, boot, median(readySeconds).toFixed(2), slowest.toFixed(2), mebibytes(peakMebibytes)];
  });
  return formatTable(headings, rows);
}

function memoryTable({ memory }: Results): string {
  const headings = [text('database'), number('idle'), number('after the load'), number('peak')];
  const rows = memory.map(({ database, idle, afterLoad }) => [
    database,
    mebibytes(idle.residentMebibytes),
    mebibytes(afterLoad.residentMebibytes),
    mebibytes(afterLoad.peakMebibytes),
  ]);
  return formatTable(headings, rows);
}

function mebibytes(size: number | null): string {
  return size?.toFixed(0) ?? '–';
}

function statementTable({ statements }: Results): string {
  const rows = statements.map(({ operation, count }) => [operation, count.toFixed(1).replace('.0', '')]);
  return formatTable([text('operation'), number('statements')], rows);
}

function isolationTable({ isolation }: Results): string {
  const headings = [
    text('what'),
    number('me p50 ms'),
    number('me p99 ms'),
    number('of the middle round'),
    number('logins a second'),
    number('undisturbed'),
    number('kept'),
  ];
  const rows = isolation.map(({ contender, undisturbed, storm, steady }) => [
    contender,
    milliseconds(steady.p50Milliseconds),
    milliseconds(steady.p99Milliseconds),
    milliseconds(median(steady.p99MillisecondsByRound)),
    rate(storm.perSecond),
    rate(undisturbed.perSecond),
    percent(storm.perSecond / undisturbed.perSecond),
  ]);
  return formatTable(headings, rows);
}

function scaleOutTable({ scaleOut }: Results): string {
  const headings = [
    number('WORKERS'),
    text('each held to'),
    number('a second'),
    number('p50 ms'),
    number('p99 ms'),
    number('processor ms each'),
    number('a second of the processor'),
  ];
  const rows = scaleOut.map(({ workers, coreShare, performance }) => [
    String(workers),
    coreShare === undefined ? 'all it gets' : `${percent(coreShare)} of a core`,
    rate(performance.perSecond),
    milliseconds(performance.p50Milliseconds),
    milliseconds(performance.p99Milliseconds),
    milliseconds(performance.processorMillisecondsEach),
    performance.processorMillisecondsEach === null ? '–' : rate(1000 / performance.processorMillisecondsEach),
  ]);
  return formatTable(headings, rows);
}

function growthTable({ growth }: Results): string {
  const headings = [
    text('scenario'),
    number('users'),
    number('a second'),
    number('p50 ms'),
    number('p99 ms'),
    number('processor ms each'),
    number('of PostgreSQL'),
  ];
  const rows = growth.flatMap(({ scenario, sizes }) =>
    sizes.map(({ users, performance }, index) => [
      index === 0 ? scenario : '',
      String(users),
      ...performanceCells(performance).slice(1),
    ]),
  );
  return formatTable(headings, rows);
}

function bloatTable({ bloat }: Results): string {
  const headings = [
    number('sessions'),
    number('refreshes'),
    number('heap-only updates'),
    text('table KiB'),
    text('indexes KiB'),
    text('both, after waves of sessions that ended'),
  ];
  const kibibytes = ({ before, after }: { before: number; after: number }) =>
    `${(before / 1024).toFixed(0)} → ${(after / 1024).toFixed(0)}`;
  const rows = bloat.map(({ sessions, refreshes, heapOnlyShare, table, indexes, waves }) => [
    String(sessions),
    String(refreshes),
    percent(heapOnlyShare),
    kibibytes(table),
    kibibytes(indexes),
    waves.bytes.map((bytes) => (bytes / 1024).toFixed(0)).join(', '),
  ]);
  return formatTable(headings, rows);
}

function enduranceTable({ endurance }: Results): string {
  const rows = endurance.flatMap(({ points }) =>
    points.map(({ requests, residentMebibytes }) => [String(requests), mebibytes(residentMebibytes)]),
  );
  return formatTable([number('requests'), number('MiB')], rows);
}

function rate(perSecond: number): string {
  return perSecond.toFixed(perSecond < 100 ? 1 : 0);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}

function milliseconds(duration: number | null): string {
  return duration?.toFixed(2) ?? '–';
}

function listTable({ lists }: Results): string {
  const headings = [text('page'), number('database ms'), number('slowest'), number('HTTP ms'), text('by way of')];
  const rows = lists.map(({ page, databaseMilliseconds, slowestDatabaseMilliseconds, httpMilliseconds, plans }) => [
    page,
    databaseMilliseconds.toFixed(2),
    slowestDatabaseMilliseconds.toFixed(2),
    httpMilliseconds.toFixed(1),
    plans.join('; '),
  ]);
  return formatTable(headings, rows);
}
