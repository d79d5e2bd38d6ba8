import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Results } from '../results.ts';
import { drawingOf } from './drawing.ts';
import { figuresOf } from './figures.ts';
import { markdownOf } from './markdown.ts';
import { withFigures } from './readme.ts';

const ROOT = join(import.meta.dirname, '../..');

export const PUBLISHED_RUNS = join(ROOT, 'bench/results/latest.json');
const DRAWING = join(ROOT, 'bench/results/latest.svg');
const README = join(ROOT, 'README.md');

/**
 * What these runs found out is what the README shows. Of what several measured, the last is shown.
 *
 * @throws when they did not measure every operation that is shown
 */
export function publish(runs: readonly Results[]): void {
  const figures = figuresOf(runs);
  writeFileSync(PUBLISHED_RUNS, `${JSON.stringify(runs, null, 2)}\n`);
  writeFileSync(DRAWING, drawingOf(figures));
  writeFileSync(README, withFigures(readFileSync(README, 'utf8'), markdownOf(figures)));
}

/** Of one run, or of those that were published before. */
export function readRuns(file: string): readonly Results[] {
  const content: Results | readonly Results[] = JSON.parse(readFileSync(file, 'utf8'));
  return [content].flat();
}
