import pg from 'pg';
import { vi } from 'vitest';

/** What came of it, and the text of every statement that went to a database meanwhile, whoever of ours sent it. */
export async function withStatements<T>(act: () => Promise<T>) {
  const query = vi.spyOn(pg.Client.prototype, 'query');
  try {
    const answer = await act();
    return { answer, statements: query.mock.calls.map(([statement]) => textOf(statement)) };
  } finally {
    query.mockRestore();
  }
}

function textOf(statement: unknown): string {
  if (typeof statement === 'string') return statement;
  return typeof statement === 'object' && statement !== null && 'text' in statement ? String(statement.text) : '';
}
