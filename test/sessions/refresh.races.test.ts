import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { graphql } from '../gql/gql.ts';
import { someStatementWaits } from '../support/lock-waits.ts';
import { createPerson, type SignedInPerson, signIn } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { faultsOf, invalidRefreshToken, Logout, LogoutEverywhere, Me } from './operations.ts';

// Many rounds, on a machine that may be busy with other files.
vi.setConfig({ testTimeout: 60_000 });

const ROUNDS = 20;
const TABS = 50;

const RefreshInRace = graphql(`
  mutation RefreshInRace($refreshToken: String!) {
    refreshToken(input: { refreshToken: $refreshToken }) {
      __typename
      ... on AuthPayload {
        accessToken
        refreshToken
      }
      ... on Error {
        code
        message
      }
    }
  }
`);

let service: TestService;
let otherInstance: TestService;

beforeAll(async () => {
  const environment = { PUBLIC_URL: 'http://id.latchkey.test' };
  service = await startTestService({ environment });
  otherInstance = await startTestService({ database: service, environment });
});
afterEach(() => expect([...faultsOf(service), ...faultsOf(otherInstance)]).toEqual([]));
afterAll(async () => {
  await otherInstance.close();
  await service.close();
});

async function newSession(): Promise<SignedInPerson> {
  const { user, password } = await createPerson(service);
  return signIn(service, { email: user.email, password });
}

async function refresh(refreshToken: string, at = service) {
  const { data } = await at.execute(RefreshInRace, { refreshToken });
  return data?.refreshToken;
}

function tokensOf(result: Awaited<ReturnType<typeof refresh>>) {
  if (result?.__typename !== 'AuthPayload') throw new Error(`no tokens: ${JSON.stringify(result)}`);
  return { accessToken: result.accessToken, refreshToken: result.refreshToken ?? '' };
}

describe('fifty refreshes of one token at the same time', () => {
  it.each([
    ['on one instance', () => [service]],
    ['on two instances', () => [service, otherInstance]],
  ])('leave one live successor and throw nobody out (%s)', async (_where, instances) => {
    let { refreshToken, ...session } = await newSession();
    for (let round = 1; round <= ROUNDS; round += 1) {
      const places = instances();
      const answers = await Promise.all(
        Array.from({ length: TABS }, (_, tab) => refresh(refreshToken, places[tab % places.length])),
      );

      const tokens = answers.map(tokensOf);
      const successors = new Set(tokens.map((each) => each.refreshToken));
      expect(successors.size).toBe(1);
      expect(await sessionRow(session.sessionId)).toMatchObject({ generation: round, revokedAt: null });
      for (const { accessToken = '' } of [tokens.at(0) ?? {}, tokens.at(-1) ?? {}]) {
        expect((await service.execute(Me, {}, { accessToken })).data?.me?.id).toBe(session.userId);
      }
      [refreshToken = ''] = successors;
      service.clock.advanceSeconds(3600);
    }
    expect(await service.app.db.auditEvent.count({ where: { subjectId: session.userId } })).toBe(1);
  });
});

describe('a refresh in flight', () => {
  it('does not outlive a logout, whichever comes first', async () => {
    for (let round = 1; round <= ROUNDS; round += 1) {
      const { refreshToken } = await newSession();
      const [refreshed, loggedOut] = await Promise.all([
        refresh(refreshToken, otherInstance),
        service.execute(Logout, { input: { refreshToken } }),
      ]);
      expect(loggedOut.data).toEqual({ logout: { __typename: 'LogoutPayload', revokedSessions: 1 } });
      await expectNothingLeft(refreshed);
    }
  });

  it('does not outlive a logout everywhere, whichever comes first', async () => {
    for (let round = 1; round <= ROUNDS; round += 1) {
      const { refreshToken, accessToken } = await newSession();
      const [refreshed, loggedOut] = await Promise.all([
        refresh(refreshToken, otherInstance),
        service.execute(LogoutEverywhere, {}, { accessToken }),
      ]);
      expect(loggedOut.data?.logoutEverywhere?.revokedSessions).toBe(1);
      await expectNothingLeft(refreshed);
    }
  });

  it('does not bring back a session that ends while it waits for its row', async () => {
    const { refreshToken, sessionId } = await newSession();
    const end = await service.app.database.pool.connect();
    try {
      await end.query('BEGIN');
      await end.query('UPDATE sessions SET revoked_at = $2 WHERE id = $1', [sessionId, service.clock.now()]);
      const refreshed = refresh(refreshToken);
      await someStatementWaits(service);
      await end.query('COMMIT');
      expect(await refreshed).toEqual(invalidRefreshToken);
    } finally {
      end.release();
    }
    expect(await sessionRow(sessionId)).toMatchObject({ generation: 0, revokedAt: service.clock.now() });
  });
});

async function expectNothingLeft(refreshed: Awaited<ReturnType<typeof refresh>>): Promise<void> {
  if (refreshed?.__typename !== 'AuthPayload') return expect(refreshed).toEqual(invalidRefreshToken);
  const { accessToken, refreshToken } = tokensOf(refreshed);
  expect(await refresh(refreshToken)).toEqual(invalidRefreshToken);
  expect((await otherInstance.execute(Me, {}, { accessToken })).data).toEqual({ me: null });
}

function sessionRow(id: string) {
  return service.app.db.session.findUnique({ where: { id } });
}
