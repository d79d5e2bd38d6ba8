import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Performance, summarize } from '../../bench/performance.ts';
import { drawingOf } from '../../bench/published/drawing.ts';
import { figuresOf } from '../../bench/published/figures.ts';
import { markdownOf } from '../../bench/published/markdown.ts';
import { PUBLISHED_RUNS, readRuns } from '../../bench/published/publish.ts';
import { withFigures } from '../../bench/published/readme.ts';
import type { Readiness } from '../../bench/ready.ts';
import type { LoadResult, MemoryUnderLoad, Results } from '../../bench/results.ts';
import { root } from '../docs/documents.ts';

describe('what several samples say together', () => {
  it('counts every answer of every round, and names latencies that were really seen', () => {
    const sample = (latencies: number[], elapsedSeconds: number, processorSeconds: number | null) => ({
      latenciesMilliseconds: Float64Array.from(latencies),
      elapsedSeconds,
      processorSeconds,
      databaseProcessorSeconds: null,
    });
    expect(summarize('service', 2, [sample([5, 1, 4], 2, 0.002), sample([2, 9], 3, 0.003)])).toEqual({
      contender: 'service',
      connections: 2,
      perSecond: 1,
      perSecondByRound: [1.5, 2 / 3],
      p50Milliseconds: 4,
      p99Milliseconds: 9,
      p99MillisecondsByRound: [5, 9],
      processorMillisecondsEach: 1,
      databaseProcessorMillisecondsEach: null,
      answers: 5,
    });
  });
});

const machine = {
  processor: 'Analytical Engine',
  cores: 2,
  memoryGibibytes: 16,
  system: 'Linux 6',
  node: '24.0.0',
  loadBefore: 0,
};

function run(found: Partial<Results>): Results {
  const nothing = { ready: [], memory: [], load: [], statements: [], lists: [], isolation: [], growth: [] };
  return { machine, seconds: 5, rounds: 2, ...nothing, scaleOut: [], endurance: [], bloat: [], ...found };
}

function performance(contender: string, perSecond: number): Performance {
  const each = { processorMillisecondsEach: 1, databaseProcessorMillisecondsEach: 1 };
  const latencies = { p50Milliseconds: 1, p99Milliseconds: 2, p99MillisecondsByRound: [2] };
  return { contender, connections: 32, perSecond, perSecondByRound: [perSecond], ...latencies, ...each, answers: 1000 };
}

function load(database: string, perSecond: number): LoadResult[] {
  return ['login', 'refresh', 'me'].map((scenario) => ({
    ...{ database, scenario },
    service: performance('service', perSecond),
    others: [performance('Yoga + pg', 1000)],
  }));
}

function memory(database: string, residentMebibytes: number): MemoryUnderLoad {
  const at = (mebibytes: number) => ({ residentMebibytes: mebibytes, peakMebibytes: null });
  return { database, idle: at(residentMebibytes), afterLoad: at(residentMebibytes + 50) };
}

function ready(database: string, readySeconds: number): Readiness {
  return { database, boot: 'warm', readySeconds: [readySeconds], peakMebibytes: null };
}

function foundOn(database: string, value: number): Partial<Results> {
  return { load: load(database, value), memory: [memory(database, value)], ready: [ready(database, value / 1000)] };
}

describe('what is published of runs', () => {
  it('is what the one run found out about both databases, PostgreSQL first', () => {
    const both = run({
      load: [...load('embedded', 300), ...load('PostgreSQL 18.4', 900)],
      memory: [memory('embedded', 377), memory('PostgreSQL 18.4', 128)],
      ready: [ready('embedded', 0.8), ready('PostgreSQL 18.4', 0.4)],
    });
    expect(markdownOf(figuresOf([both]))).toBe(`\
| | connections | a second | p50 | p99 | processor | statements | of the floor |
|---|---|---|---|---|---|---|---|
| login | 32 | 900 | 1.0 ms | 2.0 ms | 1.0 ms | – | 90 % |
| refresh | 32 | 900 | 1.0 ms | 2.0 ms | 1.0 ms | – | 90 % |
| \`me\` | 32 | 900 | 1.0 ms | 2.0 ms | 1.0 ms | – | 90 % |

- Measured on 2 cores (Analytical Engine, 16 GiB, Node 24.0.0) shared with PostgreSQL and the load generator, each operation for at least 10 s.
- On the embedded database, at 32 connections: login 300 a second (30 % of the floor), refresh 300 a second (30 % of the floor), \`me\` 300 a second (30 % of the floor).
- Resident memory: 128 MiB idle and 178 MiB after login, refresh, \`me\` (PostgreSQL 18.4), 377 MiB idle and 427 MiB after login, refresh, \`me\` (embedded).
- From the start of the process to the first answer of \`/readyz\`: 0.40 s on a known database (PostgreSQL 18.4), 0.80 s on a known database (embedded).`);
  });

  it('is what the last that measured a database found out about it, whichever came last of all', () => {
    const onEmbedded = run(foundOn('embedded', 300));
    const onPostgres = run(foundOn('PostgreSQL 18.4', 900));
    const earlier = run(foundOn('PostgreSQL 18.3', 800));
    const figures = figuresOf([earlier, onEmbedded, onPostgres]);
    expect(figures.operations.map(({ service }) => service.perSecond)).toEqual([900, 900, 900]);
    expect(figures.embeddedOperations.map(({ service }) => service.perSecond)).toEqual([300, 300, 300]);
    expect(figures.memory.map(({ database }) => database)).toEqual(['PostgreSQL 18.4', 'embedded']);
    expect(figures.ready.map(({ database }) => database)).toEqual(['PostgreSQL 18.4', 'embedded']);
    expect(figuresOf([earlier, onPostgres, onEmbedded])).toEqual(figures);
  });

  it('names the load after which memory was looked at', () => {
    const onlyMe = { load: load('embedded', 300).filter(({ scenario }) => scenario === 'me') };
    const figures = figuresOf([
      run(foundOn('PostgreSQL 18.4', 900)),
      run({ ...onlyMe, memory: [memory('embedded', 377)] }),
    ]);
    expect(figures.memory.map(({ scenarios }) => scenarios)).toEqual([['login', 'refresh', 'me'], ['me']]);
  });

  it('has of memory what was left after the most load, whichever run came last', () => {
    const all = run(foundOn('PostgreSQL 18.4', 900));
    const onlyMe = { load: load('PostgreSQL 18.4', 300).filter(({ scenario }) => scenario === 'me') };
    const part = run({ ...onlyMe, memory: [memory('PostgreSQL 18.4', 100)] });
    expect(figuresOf([all, part]).memory).toEqual(figuresOf([all]).memory);
    expect(figuresOf([part, all]).memory).toEqual(figuresOf([all]).memory);
  });

  it('is how `me` fares during a storm of sign-ins, over all and in the middle one of the rounds', () => {
    const fares = (contender: string, p99Milliseconds: number, p99MillisecondsByRound: readonly number[]) => ({
      ...{ database: 'PostgreSQL 18.4', contender },
      undisturbed: performance(contender, 100),
      storm: performance(contender, 90),
      steady: { ...performance(contender, 100), p99Milliseconds, p99MillisecondsByRound },
    });
    const isolation = [fares('service', 40, [12, 110, 13, 11, 14]), fares('Yoga', 50, [30, 20, 120, 25])];
    const found = run({ ...foundOn('PostgreSQL 18.4', 900), isolation });
    expect(markdownOf(figuresOf([found])).split('\n')).toContain(
      '- `me` at a steady 100 a second, while 32 connections sign in: p50 1.0 ms, p99 40 ms, in the middle one of the rounds 13 ms, and 90 % of the sign-ins are kept (the floor: 1.0 ms, 50 ms, 30 ms, 90 %).',
    );
  });

  it('is what two processes do beside one, as fast as they can and held to a share of a core', () => {
    const scaleOut = (workers: number, perSecond: number, coreShare = {}) => ({
      ...{ database: 'PostgreSQL 18.4', workers, ...coreShare },
      performance: performance(`WORKERS=${workers}`, perSecond),
    });
    const free = [scaleOut(1, 2700), scaleOut(2, 3000)];
    const held = [scaleOut(1, 400, { coreShare: 0.2 }), scaleOut(2, 780, { coreShare: 0.2 })];
    const found = foundOn('PostgreSQL 18.4', 900);
    const asFastAsTheyCan =
      '- `me` at 32 connections: 2,700 a second and 1.0 ms of the processor each with `WORKERS=1`, 3,000 a second and 1.0 ms of the processor each with `WORKERS=2`.';
    const heldToAShare =
      "- The same while a control group's quota holds each process of the service to 20 % of a core, so that neither PostgreSQL nor the load generator is the limit: 400 a second and 1.0 ms of the processor each with `WORKERS=1`, 780 a second and 1.0 ms of the processor each with `WORKERS=2`, 1.95 times as many.";
    const linesOf = (scaleOut: Results['scaleOut']) => markdownOf(figuresOf([run({ ...found, scaleOut })])).split('\n');
    expect(linesOf([...free, ...held])).toEqual(expect.arrayContaining([asFastAsTheyCan, heldToAShare]));
    expect(linesOf(free)).toContain(asFastAsTheyCan);
    expect(linesOf(free).join()).not.toContain('The same');
  });

  it('is nothing without all operations on PostgreSQL, or of several machines', () => {
    const onPostgres = run(foundOn('PostgreSQL 18.4', 900));
    expect(() => figuresOf([run(foundOn('embedded', 300))])).toThrow('no run measured login on PostgreSQL');
    const elsewhere = { ...run({}), machine: { ...machine, cores: 4 } };
    expect(() => figuresOf([onPostgres, elsewhere])).toThrow('several machines');
  });
});

describe('the figures in the README', () => {
  const figures = figuresOf(readRuns(PUBLISHED_RUNS));

  it('are those of the published runs', () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8');
    expect(withFigures(readme, markdownOf(figures))).toBe(readme);
  });

  it('are drawn as they are', () => {
    expect(readFileSync(join(root, 'bench/results/latest.svg'), 'utf8')).toBe(drawingOf(figures));
  });

  it('go to their one place and nowhere else', () => {
    expect(() => withFigures('# Another document\n', 'figures')).toThrow('no place for figures');
  });
});
