import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root, tableOf, textOf } from './documents.ts';

const DOCUMENT = 'docs/asvs.md';

/** How many requirements the sections of each chapter have in ASVS 5.0.0. */
const REQUIREMENTS_OF_SECTIONS = new Map([
  [4, [5, 5, 2, 4]],
  [6, [3, 12, 8, 6, 8, 4, 2, 4]],
  [7, [3, 4, 2, 5, 3, 2]],
  [8, [4, 4, 3, 2]],
  [9, [3, 4]],
  [10, [2, 3, 5, 16, 5, 2, 3]],
  [16, [1, 5, 4, 3, 4]],
]);

const chapters = [...REQUIREMENTS_OF_SECTIONS.keys()];
const rows = chapters.flatMap((chapter) => tableOf(DOCUMENT, `V${chapter}`).map(readRow));

describe('docs/asvs.md', () => {
  it('has each requirement of its chapters, once and in the order of the standard', () => {
    const numbers = [...REQUIREMENTS_OF_SECTIONS].flatMap(([chapter, sections]) =>
      sections.flatMap((count, section) =>
        Array.from({ length: count }, (_, requirement) => `${chapter}.${section + 1}.${requirement + 1}`),
      ),
    );
    expect(rows.map(({ number }) => number)).toEqual(numbers);
  });

  it('says of each its level, what it asks for, and in one sentence why it is judged so', () => {
    const unclear = rows.filter(
      ({ level, asksFor, why }) => !/^[123]$/.test(level) || asksFor === '' || !/^[^.].*\.$/.test(why),
    );
    expect(unclear).toEqual([]);
  });

  it('calls each met, not applicable or not met', () => {
    const statuses = new Set(rows.map(({ status }) => status));
    expect([...statuses].sort()).toEqual(['met', 'not applicable', 'not met']);
  });

  it('lists what is not met at its beginning, each requirement once', () => {
    const [, list = ''] = /^## What is not met\n(.*?)^## /ms.exec(textOf(DOCUMENT)) ?? [];
    const listed = list.match(/\b\d+\.\d+\.\d+\b/g) ?? [];
    const notMet = rows.filter(({ status }) => status === 'not met').map(({ number }) => number);
    expect([...listed].sort()).toEqual([...notMet].sort());
  });

  it('shows tests for what is met, and for nothing else', () => {
    const odd = rows.filter(({ status, shownBy }) => (status === 'met' ? !TESTS.test(shownBy) : shownBy !== '–'));
    expect(odd).toEqual([]);
  });

  const met = rows.filter(({ status }) => status === 'met');

  it.for(met)('names tests that there are: $number', ({ shownBy }) => {
    for (const [, path = '', words = ''] of shownBy.matchAll(TEST)) {
      const file = join(root, path);
      expect(existsSync(file), path).toBe(true);
      expect(readFileSync(file, 'utf8')).toContain(words);
    }
  });

  it('can be found from the README', () => {
    expect(textOf('README.md')).toContain(`](${DOCUMENT})`);
  });
});

const TEST = /(test\/[\w./-]+\.test\.ts) “([^”]+)”/g;
const TESTS = new RegExp(`^${TEST.source}(?:, ${TEST.source})*$`);

function readRow([number = '', level = '', asksFor = '', status = '', why = '', shownBy = '']: readonly string[]) {
  return { number, level, asksFor, status, why, shownBy };
}
