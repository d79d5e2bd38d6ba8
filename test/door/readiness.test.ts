import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestService, type TestService } from '../support/service.ts';
import { withStatements } from '../support/statements.ts';

let service: TestService;

beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.close());

async function statusOf(path: string): Promise<number> {
  return (await fetch(`${service.url}${path}`)).status;
}

function crowdAt(path: string): Promise<readonly number[]> {
  return Promise.all(Array.from({ length: 100 }, () => statusOf(path)));
}

describe('a crowd', () => {
  it('at /readyz costs the database one look a second', async () => {
    const { answer, statements } = await withStatements(() => crowdAt('/readyz'));
    expect(new Set(answer)).toEqual(new Set([200]));
    const looks = statements.filter((text) => text === 'SELECT 1');
    expect(looks.length).toBeGreaterThan(0);
    // A hundred answers may take longer than a second where much else is going on.
    expect(looks.length).toBeLessThan(20);
  });

  it('at /healthz costs it nothing', async () => {
    const { answer, statements } = await withStatements(() => crowdAt('/healthz'));
    expect(new Set(answer)).toEqual(new Set([200]));
    expect(statements).toEqual([]);
  });
});
