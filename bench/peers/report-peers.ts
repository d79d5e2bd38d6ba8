import type { Performance } from '../performance.ts';
import { formatTable, type Heading } from '../table.ts';
import { scenarioNames } from './peer.ts';
import type { PeerResult, PeerResults } from './results.ts';

/** What a run found out, for a person to read. */
export function reportPeers({ machine, database, peers, seconds, rounds }: PeerResults): string {
  const { processor, cores, memoryGibibytes, system, node, loadBefore } = machine;
  return [
    `${cores} × ${processor}, ${memoryGibibytes.toFixed(0)} GiB, ${system}, Node ${node}, ${database}; everything on ` +
      `this one machine; rounds: ${rounds}, seconds: ${seconds}; load average before: ${loadBefore.toFixed(1)}`,
    table('Who', whoHeadings, peers.map(whoCells)),
    table(
      'Load',
      loadHeadings,
      scenarioNames.flatMap((scenario) =>
        peers.flatMap(({ name, load }) =>
          load
            .filter((each) => each.scenario === scenario)
            .map(({ performance }) => [scenario, name, ...performanceCells(performance)]),
        ),
      ),
    ),
    table('Sign-in beside its own hash', hashHeadings, peers.flatMap(hashRows)),
    table('`me`, 100 a second, while all connections sign in', stormHeadings, peers.flatMap(stormRows)),
  ].join('\n\n');
}

const text = (title: string): Heading => ({ title });
const number = (title: string): Heading => ({ title, isNumber: true });

function table(title: string, headings: readonly Heading[], rows: readonly (readonly string[])[]): string {
  return `${title}\n\n${formatTable(headings, rows)}`;
}

const whoHeadings = [
  ...[text('who'), text('version'), text('hash'), number('ready s')],
  ...[number('idle MiB'), number('after the load')],
];

function whoCells({ name, version, hash, readySeconds, idle, afterLoad }: PeerResult): readonly string[] {
  const median = readySeconds.toSorted((a, b) => a - b)[Math.floor(readySeconds.length / 2)] ?? Number.NaN;
  const memory = [idle, afterLoad].map(({ residentMebibytes }) => residentMebibytes.toFixed(0));
  return [name, version, hash ?? 'none', median.toFixed(2), ...memory];
}

const loadHeadings = [
  ...[text('scenario'), text('who'), number('connections'), number('a second')],
  ...[number('p50 ms'), number('p99 ms'), number('processor ms each'), number('PostgreSQL')],
];

function performanceCells(performance: Performance): readonly string[] {
  return [
    String(performance.connections),
    performance.perSecond.toFixed(performance.perSecond < 100 ? 1 : 0),
    performance.p50Milliseconds.toFixed(2),
    performance.p99Milliseconds.toFixed(2),
    performance.processorMillisecondsEach?.toFixed(2) ?? '–',
    performance.databaseProcessorMillisecondsEach?.toFixed(2) ?? '–',
  ];
}

const hashHeadings = [
  ...[text('who'), number('connections'), number('hashes a second'), number('sign-ins a second')],
  ...[number('overhead'), number('processor ms: hash'), number('sign-in')],
];

function hashRows({ name, load }: PeerResult): readonly (readonly string[])[] {
  const hashes = load.filter(({ scenario }) => scenario === 'hash').map(({ performance }) => performance);
  return hashes.flatMap((hash) => {
    const login = load.find((each) => each.scenario === 'login' && each.performance.connections === hash.connections);
    if (login === undefined) return [];
    const overhead = (hash.perSecond / login.performance.perSecond - 1) * 100;
    const processor = [hash, login.performance].map((each) => each.processorMillisecondsEach?.toFixed(1) ?? '–');
    const rates = [hash, login.performance].map(({ perSecond }) => perSecond.toFixed(1));
    return [[name, String(hash.connections), ...rates, `${overhead.toFixed(0)} %`, ...processor]];
  });
}

const stormHeadings = [text('who'), number('p50 ms'), number('p99 ms'), number('sign-ins a second')];

function stormRows({ name, storm }: PeerResult): readonly (readonly string[])[] {
  if (storm === null) return [];
  const { me, login } = storm;
  return [[name, me.p50Milliseconds.toFixed(1), me.p99Milliseconds.toFixed(1), login.perSecond.toFixed(1)]];
}
