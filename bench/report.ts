import type { Performance } from './performance.ts';
import type { Results } from './results.ts';
import { formatTable, type Heading } from './table.ts';

/** What a run found out, for a person to read. */
export function report(results: Results): string {
  const { processor, cores, memoryGibibytes, system, node } = results.machine;
  const sections = [
    `${cores} × ${processor}, ${memoryGibibytes.toFixed(0)} GiB, ${system}, Node ${node}; everything on this one machine`,
    section('Load', loadTable(results), results.load.length),
    section('From process start to the first 200 of /readyz', readyTable(results), results.ready.length),
    section('Resident memory in MiB', memoryTable(results), results.memory.length),
    section('SQL statements a request, BEGIN and COMMIT included', statementTable(results), results.statements.length),
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
    number('the service does'),
  ];
  const rows = load.flatMap(({ database, scenario, service, others }) => [
    [database, scenario, String(service.connections), ...performanceCells(service), ''],
    ...others.map((other) => [
      ...['', '', ''],
      ...performanceCells(other),
      `${((service.perSecond / other.perSecond) * 100).toFixed(0)} % of it`,
    ]),
  ]);
  return formatTable(headings, rows);
}

function performanceCells(performance: Performance): string[] {
  const { contender, perSecond, p50Milliseconds, p99Milliseconds, processorMillisecondsEach } = performance;
  return [
    contender,
    perSecond.toFixed(perSecond < 100 ? 1 : 0),
    p50Milliseconds.toFixed(2),
    p99Milliseconds.toFixed(2),
    processorMillisecondsEach?.toFixed(2) ?? '–',
  ];
}

function readyTable({ ready }: Results): string {
  const headings = [text('database'), text('boot'), number('median s'), number('slowest s'), number('peak MiB')];
  const rows = ready.map(({ database, boot, readySeconds, peakMebibytes }) => {
    const sorted = readySeconds.toSorted((a, b) => a - b);
    const median = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
    return [database, boot, median.toFixed(2), Math.max(...sorted).toFixed(2), mebibytes(peakMebibytes)];
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
