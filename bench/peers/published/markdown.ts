import { machineOf, milliseconds } from '../../published/markdown.ts';
import { CONNECTIONS } from '../../scenario.ts';
import type { Heading } from '../../table.ts';
import { performanceOf, type Ratio, ratiosOf } from '../ratios.ts';
import type { PeerResult, PeerResults } from '../results.ts';
import { conditionsOf, labelOf, overheadOf, rate, type Table, tablesOf } from '../tables.ts';

/** Everything, as the peers' own README shows it. */
export function peersMarkdownOf(results: PeerResults): string {
  const sections = tablesOf(results).map((table) => `**${table.title}**\n\n${markdownTable(table)}`);
  return [`Measured on ${conditionsOf(results)}.`, ...sections].join('\n\n');
}

/** The rates and the storm, and the ratios in a sentence, as the main README shows them. */
export function peersSummaryOf(results: PeerResults): string {
  const { peers, seconds, rounds } = results;
  const ratios = ratiosOf(peers).map((each) => `- ${ratioSentence(each)}`);
  return [
    markdownTable({ headings: summaryHeadings, rows: peers.map(summaryCells) }),
    [
      `- Answers a second at ${CONNECTIONS} connections, ${seconds * rounds} s each, in one run on ${machineOf(results)}.`,
      ...ratios,
    ].join('\n'),
  ].join('\n\n');
}

const text = (title: string): Heading => ({ title });
const number = (title: string): Heading => ({ title, isNumber: true });

const summaryHeadings = [
  ...[text(''), number('login'), number('more than its own hash'), number('`me`'), number('refresh')],
  number('p99 of `me` during a login storm'),
];

function summaryCells(peer: PeerResult): readonly string[] {
  return [
    `${peer.name} ${peer.version}`,
    rate(performanceOf(peer, 'login')?.perSecond),
    overheadOf(peer),
    rate(performanceOf(peer, 'me')?.perSecond),
    rate(performanceOf(peer, 'refresh')?.perSecond),
    milliseconds(peer.storm?.me.p99Milliseconds ?? null),
  ];
}

function ratioSentence({ scenario, against, ratio }: Ratio): string {
  return `Latchkey's ${labelOf(scenario)}: ${ratio.toFixed(1)} times ${against}'s.`;
}

function markdownTable({ headings, rows }: Omit<Table, 'title'>): string {
  const separators = headings.map(({ isNumber }) => (isNumber ? '---:' : '---'));
  return [headings.map(({ title }) => title), separators, ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`.replace('|  |', '| |'))
    .join('\n');
}
