import type { Performance } from '../performance.ts';
import { milliseconds, percent } from '../published/markdown.ts';
import { CONNECTIONS } from '../scenario.ts';
import type { Heading } from '../table.ts';
import type { ScenarioName } from './peer.ts';
import { performanceOf, ratiosOf } from './ratios.ts';
import type { PeerResult, PeerResults } from './results.ts';

export interface Table {
  readonly title: string;
  readonly headings: readonly Heading[];
  readonly rows: readonly (readonly string[])[];
}

/** All that a run found out; no table for what it did not measure. */
export function tablesOf({ peers }: PeerResults): readonly Table[] {
  const tables = [
    { title: 'Who', headings: whoHeadings, rows: peers.map(whoCells) },
    { title: 'Login, and the check of a password alone', headings: loginHeadings, rows: peers.flatMap(loginRows) },
    { title: '`me`', headings: loadHeadings, rows: peers.flatMap((peer) => loadRows(peer, 'me')) },
    { title: 'Refresh', headings: loadHeadings, rows: peers.flatMap((peer) => loadRows(peer, 'refresh')) },
    {
      title: `\`me\` at a steady 100 a second, while ${CONNECTIONS} connections sign in`,
      headings: stormHeadings,
      rows: peers.flatMap(stormRows),
    },
    {
      title: `Latchkey beside the best, at ${CONNECTIONS} connections`,
      headings: ratioHeadings,
      rows: ratioRows(peers),
    },
  ];
  return tables.filter(({ rows }) => rows.length > 0);
}

/** Where and how it was measured. */
export function conditionsOf({ machine, database, seconds, rounds }: PeerResults): string {
  const { processor, cores, memoryGibibytes, system, node, loadBefore } = machine;
  return (
    `${cores} × ${processor}, ${memoryGibibytes.toFixed(0)} GiB, ${system}, Node ${node}, ${database}; everything on ` +
    `this one machine; ${seconds} s for each measurement, rounds: ${rounds}; load average before: ${loadBefore.toFixed(1)}`
  );
}

/** As many digits as mean something. */
export function rate(perSecond: number | undefined): string {
  if (perSecond === undefined) return '–';
  return perSecond < 100 ? perSecond.toFixed(1) : Math.round(perSecond).toLocaleString('en');
}

const text = (title: string): Heading => ({ title });
const number = (title: string): Heading => ({ title, isNumber: true });

const whoHeadings = [
  ...[text('who'), text('version'), text('hash of a password'), text('`me` by')],
  ...[number('ready'), number('idle'), number('after the load')],
];

function whoCells({ name, version, hash, protocol, readySeconds, idle, afterLoad }: PeerResult): readonly string[] {
  const median = readySeconds.toSorted((a, b) => a - b)[Math.floor(readySeconds.length / 2)] ?? Number.NaN;
  const memory = [idle, afterLoad].map(({ residentMebibytes }) => `${residentMebibytes.toFixed(0)} MiB`);
  return [name, version, hash ?? 'none', protocol, `${median.toFixed(2)} s`, ...memory];
}

const loginHeadings = [
  ...[text('who'), number('connections'), number('logins a second'), number('p50'), number('p99')],
  ...[number('hashes a second'), number('overhead'), number('processor: login'), number('hash')],
];

function loginRows(peer: PeerResult): readonly (readonly string[])[] {
  return performancesOf(peer, 'login').map((login) => {
    const hash = performanceOf(peer, 'hash', login.connections);
    return [
      ...[peer.name, ...speedCells(login), rate(hash?.perSecond), overheadOf(peer, login.connections)],
      ...[login, hash].map((each) => milliseconds(each?.processorMillisecondsEach ?? null)),
    ];
  });
}

/** How much longer a login takes than its own hash alone, by their rates. */
export function overheadOf(peer: PeerResult, connections: number = CONNECTIONS): string {
  const [hash, login] = [performanceOf(peer, 'hash', connections), performanceOf(peer, 'login', connections)];
  return hash === undefined || login === undefined ? '–' : percent(hash.perSecond / login.perSecond - 1);
}

const loadHeadings = [
  ...[text('who'), number('connections'), number('a second'), number('p50'), number('p99')],
  ...[number('processor'), number('of PostgreSQL')],
];

function loadRows(peer: PeerResult, scenario: ScenarioName): readonly (readonly string[])[] {
  return performancesOf(peer, scenario).map((performance) => [
    ...[peer.name, ...speedCells(performance)],
    milliseconds(performance.processorMillisecondsEach),
    milliseconds(performance.databaseProcessorMillisecondsEach),
  ]);
}

function performancesOf({ load }: PeerResult, scenario: ScenarioName): readonly Performance[] {
  return load.filter((each) => each.scenario === scenario).map(({ performance }) => performance);
}

function speedCells({ connections, perSecond, p50Milliseconds, p99Milliseconds }: Performance): readonly string[] {
  return [String(connections), rate(perSecond), milliseconds(p50Milliseconds), milliseconds(p99Milliseconds)];
}

const stormHeadings = [
  ...[text('who'), number('p50'), number('p99'), number('logins a second'), number('of those undisturbed')],
];

function stormRows(peer: PeerResult): readonly (readonly string[])[] {
  const undisturbed = performanceOf(peer, 'login');
  if (peer.storm === null || undisturbed === undefined) return [];
  const { me, login } = peer.storm;
  const latencies = [me.p50Milliseconds, me.p99Milliseconds].map(milliseconds);
  return [[peer.name, ...latencies, rate(login.perSecond), percent(login.perSecond / undisturbed.perSecond)]];
}

const ratioHeadings = [
  ...[text('what'), number('Latchkey, a second'), text('the best'), number('a second'), number('ratio')],
  number('wanted at least'),
];

function ratioRows(peers: readonly PeerResult[]): readonly (readonly string[])[] {
  return ratiosOf(peers).map(({ scenario, against, ownPerSecond, perSecond, ratio, goal }) => [
    ...[labelOf(scenario), rate(ownPerSecond), against, rate(perSecond), ratio.toFixed(1), goal.toFixed(1)],
  ]);
}

export function labelOf(scenario: ScenarioName): string {
  return scenario === 'me' ? '`me`' : scenario;
}
