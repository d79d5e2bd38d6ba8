import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withFigures } from '../../published/readme.ts';
import type { PeerResults } from '../results.ts';
import { peersMarkdownOf, peersSummaryOf } from './markdown.ts';

const DIRECTORY = join(import.meta.dirname, '..');

export const PUBLISHED_RUN = join(DIRECTORY, 'results.json');
const COMMAND = 'npm run bench:peers -- --publish';

/** The documents that show what a run found out, and how each does. */
export const showings = [
  { file: join(DIRECTORY, 'README.md'), show: shownBy(peersMarkdownOf) },
  { file: join(DIRECTORY, '../../README.md'), show: shownBy(peersSummaryOf) },
];

/** What this run found out is what the READMEs show. */
export function publishPeers(results: PeerResults): void {
  writeFileSync(PUBLISHED_RUN, `${JSON.stringify(results, null, 2)}\n`);
  for (const { file, show } of showings) writeFileSync(file, show(readFileSync(file, 'utf8'), results));
}

export function readPeerRun(file: string): PeerResults {
  return JSON.parse(readFileSync(file, 'utf8'));
}

function shownBy(markdownOf: (results: PeerResults) => string) {
  return (document: string, results: PeerResults) => withFigures(document, markdownOf(results), COMMAND);
}
