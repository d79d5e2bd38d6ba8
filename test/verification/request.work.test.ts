import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accepted, RequestVerification } from '../registration/operations.ts';
import { createPerson } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { withStatements } from '../support/statements.ts';

let service: TestService;

beforeAll(async () => {
  service = await startTestService({ environment: { RATE_LIMITING: 'on' } });
});
afterAll(() => service.close());

/** Every statement that was sent before the answer, as it stands. */
async function statementsOf(email: string): Promise<readonly string[]> {
  const { answer, statements } = await withStatements(() => service.execute(RequestVerification, { email }));
  expect(answer.data?.requestEmailVerification).toEqual(accepted);
  await service.runJobs();
  return statements;
}

describe('requestEmailVerification', () => {
  it('sends the very same statements for every address', async () => {
    const [unproven, proven, revoked, pending] = [
      await createPerson(service, { emailVerified: false }),
      await createPerson(service),
      await createPerson(service, { emailVerified: false, status: 'REVOKED' }),
      await createPerson(service, { emailVerified: false, status: 'PENDING' }),
    ];
    // What is prepared once is sent by its name from then on.
    await statementsOf('warm.up@latchkey.test');
    const unknown = await statementsOf('nobody@latchkey.test');
    expect(unknown).toEqual([expect.stringContaining('rate_limits'), expect.stringMatching(/^\s*(?:WITH|INSERT)\b/)]);
    for (const { user } of [unproven, proven, revoked, pending]) {
      expect(await statementsOf(user.email)).toEqual(unknown);
    }
    // With no mail left for the hour.
    for (let request = 1; request <= 4; request += 1) await statementsOf(unproven.user.email);
    expect(await statementsOf(unproven.user.email)).toEqual(unknown);
  });
});
