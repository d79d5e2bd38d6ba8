import pg from 'pg';
import { vi } from 'vitest';

/** What the queue looks after by the clock, whatever is going on. */
const UPKEEP = /^\s*UPDATE \S+\.version\s+SET bam_on/;

/** What came of it, and every statement that went to a database meanwhile, whoever of ours sent it. */
export async function withStatements<T>(act: () => Promise<T>) {
  const query = vi.spyOn(pg.Client.prototype, 'query');
  try {
    const answer = await act();
    const sent = query.mock.calls
      .map(([statement, values]: readonly unknown[]) => ({
        text: textOf(statement),
        values: valuesOf(statement) ?? valuesOf({ values }) ?? [],
      }))
      .filter(({ text }) => !UPKEEP.test(text));
    return { answer, sent, statements: sent.map(({ text }) => text) };
  } finally {
    query.mockRestore();
  }
}

/** What came of it when something else happens right before the first statement for which `isTheOne`. */
export async function withMeanwhile<T>(
  isTheOne: (statement: string) => boolean,
  meanwhile: () => Promise<unknown>,
  act: () => Promise<T>,
): Promise<T> {
  const send = pg.Client.prototype.query;
  let hasHappened = false;
  const query = vi.spyOn(pg.Client.prototype, 'query').mockImplementation(function (this: pg.Client, ...rest) {
    const sent = () => Reflect.apply(send, this, rest);
    if (hasHappened || !isTheOne(textOf(rest[0]))) return sent();
    hasHappened = true;
    return meanwhile().then(sent);
  });
  try {
    const answer = await act();
    if (!hasHappened) throw new Error('there was no such statement');
    return answer;
  } finally {
    query.mockRestore();
  }
}

function textOf(statement: unknown): string {
  if (typeof statement === 'string') return statement;
  return typeof statement === 'object' && statement !== null && 'text' in statement ? String(statement.text) : '';
}

function valuesOf(statement: unknown): readonly unknown[] | undefined {
  const hasValues = typeof statement === 'object' && statement !== null && 'values' in statement;
  return hasValues && Array.isArray(statement.values) ? statement.values : undefined;
}
