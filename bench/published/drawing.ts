import type { Figures, IsolationFigures } from './figures.ts';
import { count, machineOf, milliseconds, percent } from './markdown.ts';

interface Group {
  readonly title: string;
  readonly remark: string;
  readonly bars: readonly Bar[];
}

interface Bar {
  readonly name: string;
  readonly value: number;
  readonly label: string;
}

const WIDTH = 760;
const MARGIN = 28;
const NAMES = 110;
const LONGEST_BAR = 430;
const BAR_HEIGHT = 20;
const BAR_STEP = 27;
const HEAD = 82;
const GROUP_TITLE = 26;
const GROUP_GAP = 22;
const FOOT = 52;

const CONNECTIONS = 32;

/** One SVG of what the service does beside the floor. On a card of its own, so that it can be read on any page. */
export function drawingOf(figures: Figures): string {
  const groups = groupsOf(figures);
  const tops = groups.map((_group, index) =>
    groups.slice(0, index).reduce((top, { bars }) => top + heightOf(bars) + GROUP_GAP, HEAD),
  );
  const height = groups.reduce((sum, { bars }) => sum + heightOf(bars) + GROUP_GAP, HEAD) - GROUP_GAP + FOOT;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title">
<title id="title">${xmlText(`Latchkey beside the floor: ${groups.map(({ title, remark }) => `${title} ${remark}`).join('; ')}`)}</title>
<style>
  text { font: 13px -apple-system, BlinkMacSystemFont, 'Segoe UI', 'Noto Sans', Helvetica, Arial, sans-serif; fill: #1f2328; }
  .card { fill: #ffffff; stroke: #d1d9e0; }
  .heading { font-size: 17px; font-weight: 600; }
  .title { font-size: 14px; font-weight: 600; }
  .foot { font-size: 12px; }
  .quiet { fill: #59636e; }
  .own { fill: #0969da; }
  .floor { fill: #afb8c1; }
  .number { font-variant-numeric: tabular-nums; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .card { fill: #0d1117; stroke: #3d444d; }
    .quiet { fill: #9198a1; }
    .own { fill: #4493f8; }
    .floor { fill: #656c76; }
  }
</style>
<rect class="card" x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="8"/>
<text class="heading" x="${MARGIN}" y="36">Latchkey beside the floor, at ${CONNECTIONS} connections</text>
<text class="quiet" x="${MARGIN}" y="57">The floor: hand-written Yoga, JWT and pg, with the same hash and no statement too many, measured in turn</text>
${groups.map((group, index) => drawGroup(group, tops[index] ?? 0)).join('\n')}
<text class="quiet foot" x="${MARGIN}" y="${height - 17}">${xmlText(machineOf(figures))}</text>
</svg>
`;
}

function groupsOf({ operations, isolation }: Figures): readonly Group[] {
  const throughput = operations
    .filter(({ service }) => service.connections === CONNECTIONS)
    .map(({ scenario, service, floor }) => ({
      title: `${scenario}, a second`,
      remark: `${percent(service.perSecond / floor.perSecond)} of the floor`,
      bars: [
        { name: 'Latchkey', value: service.perSecond, label: rateLabel(service) },
        { name: 'floor', value: floor.perSecond, label: rateLabel(floor) },
      ],
    }));
  if (isolation === null) return throughput;
  const { service, floor } = isolation;
  return [
    ...throughput,
    {
      title: 'me during a login storm, p99 of the middle round',
      remark: `at 100 a second; shorter is better; ${percent(service.loginsKept)} of the logins kept`,
      bars: [
        { name: 'Latchkey', value: service.middleP99Milliseconds, label: stormLabel(service) },
        { name: 'floor', value: floor.middleP99Milliseconds, label: stormLabel(floor) },
      ],
    },
  ];
}

function stormLabel({ middleP99Milliseconds, p99Milliseconds }: IsolationFigures): string {
  return `${milliseconds(middleP99Milliseconds)}, in all rounds ${milliseconds(p99Milliseconds)}`;
}

function rateLabel({ perSecond, p99Milliseconds }: { readonly perSecond: number; readonly p99Milliseconds: number }) {
  return `${count(perSecond)}/s, p99 ${milliseconds(p99Milliseconds)}`;
}

function heightOf(bars: readonly Bar[]): number {
  return GROUP_TITLE + bars.length * BAR_STEP;
}

function drawGroup({ title, remark, bars }: Group, top: number): string {
  const longest = Math.max(...bars.map(({ value }) => value));
  const drawn = bars.map(({ name, value, label }, index) => {
    const y = top + GROUP_TITLE + index * BAR_STEP;
    const width = Math.max(2, (value / longest) * LONGEST_BAR);
    const baseline = y + BAR_HEIGHT - 5;
    return `<text class="quiet" x="${MARGIN}" y="${baseline}">${xmlText(name)}</text>
<rect class="${index === 0 ? 'own' : 'floor'}" x="${NAMES}" y="${y}" width="${width.toFixed(1)}" height="${BAR_HEIGHT}" rx="3"/>
<text class="number" x="${(NAMES + width + 10).toFixed(1)}" y="${baseline}">${xmlText(label)}</text>`;
  });
  return `<text x="${MARGIN}" y="${top + 13}"><tspan class="title">${xmlText(title)}</tspan><tspan class="quiet" dx="10">${xmlText(remark)}</tspan></text>
${drawn.join('\n')}`;
}

function xmlText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
