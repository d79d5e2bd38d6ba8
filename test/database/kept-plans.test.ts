import { afterAll, beforeAll, expect, it } from 'vitest';
import { Login, Me, Refresh, refreshTokenOf } from '../sessions/operations.ts';
import { createPerson, signIn } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

/** PostgreSQL plans a prepared statement anew so often before it compares what that gained. */
const PLANS_BEFORE_ONE_IS_KEPT = 5;
const ROUNDS = 2 * PLANS_BEFORE_ONE_IS_KEPT;

let postgres: TestDatabase;
let service: TestService;

beforeAll(async () => {
  postgres = await createTestDatabase();
  // What is prepared is known to its connection alone.
  const DATABASE_URL = `${postgres.url}?connection_limit=1`;
  service = await startTestService({ environment: { DATABASE_URL, RATE_LIMITING: 'on' } });
});

afterAll(async () => {
  await service.close();
  await postgres.drop();
});

it('keeps the plan of every statement that a session, a sign-in or a refresh makes', async () => {
  const { user, password } = await createPerson(service);
  const credentials = { email: user.email, password };
  const { accessToken } = await signIn(service, credentials);
  for (let round = 0; round < ROUNDS; round += 1) {
    const login = await service.execute(Login, { input: credentials });
    const refresh = await service.execute(Refresh, { input: { refreshToken: refreshTokenOf(login) } });
    expect(refreshTokenOf(refresh)).not.toBe(refreshTokenOf(login));
    const me = await service.execute(Me, {}, { accessToken });
    expect(me.data?.me?.id).toBe(user.id);
  }
  const { rows } = await service.app.database.pool.query<{ name: string; custom: number; generic: number }>(
    'SELECT name, custom_plans::int AS custom, generic_plans::int AS generic FROM pg_prepared_statements ORDER BY name',
  );
  expect(rows.map(({ name }) => name)).toEqual([
    'find_attempted_by_email',
    'find_signed_in',
    'open_session',
    'rotate_session',
  ]);
  for (const { name, custom, generic } of rows) {
    expect({ name, custom }).toEqual({ name, custom: PLANS_BEFORE_ONE_IS_KEPT });
    expect(generic).toBeGreaterThanOrEqual(ROUNDS - PLANS_BEFORE_ONE_IS_KEPT);
  }
});
