import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accepted } from '../registration/operations.ts';
import { createPerson } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { withStatements } from '../support/statements.ts';
import { finishJobs, RequestReset } from './operations.ts';

let service: TestService;

beforeAll(async () => {
  service = await startTestService({ environment: { RATE_LIMITING: 'on' } });
});
afterAll(() => service.close());

/** Every statement that was sent before the answer, as it stands. */
async function statementsOf(email: string): Promise<readonly string[]> {
  const { answer, statements } = await withStatements(() => service.execute(RequestReset, { email }));
  expect(answer.data?.requestPasswordReset).toEqual(accepted);
  await finishJobs(service);
  return statements;
}

describe('requestPasswordReset', () => {
  it('sends the very same statements for every address', async () => {
    const [active, unproven, revoked, pending] = [
      await createPerson(service),
      await createPerson(service, { emailVerified: false }),
      await createPerson(service, { status: 'REVOKED' }),
      await createPerson(service, { status: 'PENDING' }),
    ];
    // What is prepared once is sent by its name from then on.
    await statementsOf('warm.up@latchkey.test');
    const unknown = await statementsOf('nobody@latchkey.test');
    expect(unknown).toEqual([expect.stringContaining('rate_limits'), expect.stringMatching(/^\s*(?:WITH|INSERT)\b/)]);
    for (const { user } of [active, unproven, revoked, pending]) {
      expect(await statementsOf(user.email)).toEqual(unknown);
    }
    for (const malformed of ['no address', '', 'x'.repeat(10_000)]) {
      expect(await statementsOf(malformed)).toEqual(unknown);
    }
    // With no mail left for the hour.
    for (let request = 1; request <= 4; request += 1) await statementsOf(active.user.email);
    expect(await statementsOf(active.user.email)).toEqual(unknown);
  });
});
