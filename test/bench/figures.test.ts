import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { summarize } from '../../bench/performance.ts';
import { drawingOf } from '../../bench/published/drawing.ts';
import { figuresOf } from '../../bench/published/figures.ts';
import { markdownOf } from '../../bench/published/markdown.ts';
import { PUBLISHED_RUNS, readRuns } from '../../bench/published/publish.ts';
import { withFigures } from '../../bench/published/readme.ts';
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
      processorMillisecondsEach: 1,
      databaseProcessorMillisecondsEach: null,
      answers: 5,
    });
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
