import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createPerson } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { withStatements } from '../support/statements.ts';
import { register, registrant } from './operations.ts';

let service: TestService;

beforeAll(async () => {
  service = await startTestService({ environment: { RATE_LIMITING: 'on' } });
});
afterEach(() => void vi.restoreAllMocks());
afterAll(() => service.close());

/** The statements that a registration takes, by their first word. */
async function statementsOf(email: string): Promise<readonly string[]> {
  const { statements } = await withStatements(() => register(service, registrant(email)));
  return statements.map((text) => /^\s*(\w+)/.exec(text)?.[1]?.toUpperCase() ?? '');
}

describe('registerUser', () => {
  it('spends the same on a taken address as on a free one: a hash, a transaction that writes, as many statements', async () => {
    const { user } = await createPerson(service);
    const hash = vi.spyOn(service.app.hashGate, 'run');
    const free = await statementsOf('free@latchkey.test');
    const taken = await statementsOf(user.email);
    const unproven = await statementsOf('free@latchkey.test');

    expect(hash).toHaveBeenCalledTimes(3);
    expect(unproven).toEqual(taken);
    for (const statements of [free, taken]) {
      expect(count(statements, 'BEGIN')).toBe(1);
      expect(statements.at(-1)).toBe('COMMIT');
    }
    expect(count(taken, 'INSERT')).toBeGreaterThanOrEqual(3);
    expect(Math.abs(free.length - taken.length), `${free}\n${taken}`).toBeLessThanOrEqual(1);
  });
});

function count(statements: readonly string[], kind: string): number {
  return statements.filter((statement) => statement === kind).length;
}
