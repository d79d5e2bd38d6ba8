import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Issuer, providers, startIssuer } from '../oauth/issuer.ts';
import { Me } from '../sessions/operations.ts';
import { createPerson, signIn } from '../support/people.ts';
import {
  type Answer,
  administrator,
  type RequestOptions,
  startTestService,
  type TestService,
} from '../support/service.ts';
import { type PacketSender, startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { administration, ownMutations, type Scene, type Stage, type Subject } from './mutations.ts';

/** More than any mutation takes: none goes on for ever. */
const MOST_PACKETS = 200;

let issuer: Issuer;
/** On the database itself. */
let stage: Stage;
/** Of the same service the instance whose connections break. */
let instance: TestService;
let proxy: TcpProxy;
/** Somebody to whom none of this is done. */
let bystander: RequestOptions;

beforeAll(async () => {
  issuer = await startIssuer(() => stage?.service.clock.now() ?? new Date('2030-01-01T00:00:00.000Z'));
  const environment = {
    OAUTH_PROVIDERS: providers({ example: { url: issuer.url, autoCreate: true } }),
    // So that the packets of the limiters count, while no client comes near its limit.
    RATE_LIMITING: 'on',
    TRUST_PROXY: '1',
  };
  const service = await startTestService({ environment });
  stage = { service, issuer, administrator: { accessToken: (await signIn(service, administrator)).accessToken } };
  proxy = await startTcpProxy(service.app.config.databaseUrl ?? '');
  instance = await startTestService({
    database: service,
    environment: { ...environment, PUBLIC_URL: service.app.issuer.url, DATABASE_URL: proxy.url },
  });
  const { user, password } = await createPerson(service);
  bystander = { accessToken: (await signIn(service, { email: user.email, password })).accessToken };
});

afterAll(async () => {
  await instance?.close();
  await Promise.all([proxy?.close(), stage?.service.close(), issuer?.close()]);
});

describe('whichever packet between service and database is the last, all or nothing is done, and asking again is answered as ever', () => {
  it.each(ownMutations)('%s', { timeout: 120_000 }, (_field, setScene) => cutAtEach('either', setScene));

  // What is asked and does not arrive is to the service what is not answered, but for COMMIT.
  it.each(administration)('%s', { timeout: 120_000 }, (_field, setScene) => cutAtEach('database', setScene));

  it('and the service has the room for connections and hashes that it began with', async () => {
    const { database, hashGate } = instance.app;
    const { pool } = database;
    await expect.poll(() => [pool.totalCount - pool.idleCount, pool.waitingCount], { timeout: 20_000 }).toEqual([0, 0]);
    expect([hashGate.running, hashGate.queued]).toEqual([0, 0]);
  });
});

type SetScene = (stage: Stage) => Promise<Scene>;

type Fate = 'undone' | 'done, but not answered' | 'done and answered';

interface Whole {
  /** What is answered at first, and when it is sent again. */
  readonly kinds: readonly [first: string, again: string];
  /** What the database has before, after, and after the second. */
  readonly states: readonly [before: unknown, once: unknown, twice: unknown];
}

async function withoutFault(setScene: SetScene): Promise<Whole> {
  const scene = await setScene(stage);
  const before = await stateOf(scene.subject);
  const first = kindOf(await scene.act(stage.service, newClient()));
  const once = await stateOf(scene.subject);
  expect(once).not.toEqual(before);
  const again = kindOf(await scene.act(stage.service, newClient()));
  return { kinds: [first, again], states: [before, once, await stateOf(scene.subject)] };
}

async function cutAtEach(sender: PacketSender | 'either', setScene: SetScene): Promise<void> {
  const whole = await withoutFault(setScene);
  const fates = new Set<Fate>();
  for (let packet = 1; ; packet += 1) {
    expect(packet).toBeLessThan(MOST_PACKETS);
    const fate = await cutAt(packet, sender, setScene, whole);
    if (fate === null) break;
    fates.add(fate);
  }
  expect(fates).toContain('undone');
  expect(fates).toContain('done, but not answered');
}

/** What became of it, or null when it was through before. */
async function cutAt(
  packet: number,
  sender: PacketSender | 'either',
  setScene: SetScene,
  { kinds, states }: Whole,
): Promise<Fate | null> {
  const scene = await setScene(stage);
  await expectBystanderToBeServed();
  const cut = proxy.cutAt(packet, sender);
  const kind = kindOf(await scene.act(instance, newClient()));
  const [before, once, twice] = states;
  const state = await stateOf(scene.subject);
  const isDone = JSON.stringify(state) === JSON.stringify(once);
  if (!cut.hasHappened) {
    proxy.pass();
    expect({ kind, state }).toEqual({ kind: kinds[0], state: once });
    return null;
  }
  expect(state, `cut at packet ${packet}`).toEqual(isDone ? once : before);
  expect([kinds[0], 'INTERNAL_SERVER_ERROR']).toContain(kind);
  if (kind === kinds[0]) expect(isDone).toBe(true);

  const again = kindOf(await scene.act(instance, newClient()));
  expect({ again, state: await stateOf(scene.subject) }, `again after a cut at packet ${packet}`).toEqual(
    isDone ? { again: kinds[1], state: twice } : { again: kinds[0], state: once },
  );
  if (!isDone) return 'undone';
  return kind === kinds[0] ? 'done and answered' : 'done, but not answered';
}

async function expectBystanderToBeServed(): Promise<void> {
  const { data, errors } = await instance.execute(Me, {}, bystander);
  expect({ isServed: data?.me !== null, errors }).toEqual({ isServed: true, errors: [] });
}

/** The type of the result, or the code of the error in its place. */
function kindOf({ status, data, errors }: Answer<object>): string {
  expect(status).toBe(200);
  const [error] = errors;
  if (error !== undefined) return String(error.extensions?.code);
  const [result] = Object.values(data ?? {});
  return 'code' in result ? String(result.code) : String(result.__typename);
}

let clients = 0;

/** A household of its own, which no limit has ever heard of. */
function newClient(): RequestOptions {
  clients += 1;
  return { headers: { 'x-forwarded-for': `2001:db8:0:${clients.toString(16)}::1` } };
}

/** All that the database has about it, but for what is different each time, such as ids. */
async function stateOf({ email, userId, roleName }: Subject): Promise<unknown> {
  const [row] = await stage.service.app.db.$queryRaw<readonly { state: unknown }[]>`
    WITH u AS (SELECT * FROM users WHERE email = ${email} OR id = ${userId ?? null}::uuid),
      i AS (SELECT * FROM invitations WHERE email = ${email}),
      t AS (SELECT * FROM one_time_tokens WHERE user_id IN (SELECT id FROM u) OR invitation_id IN (SELECT id FROM i))
    SELECT json_build_object(
      'users', (SELECT json_agg(json_build_array(first_name, status, email_verified, last_login_at, password_hash IS NULL)) FROM u),
      'roles of users', (SELECT count(*) FROM user_roles WHERE user_id IN (SELECT id FROM u)),
      'identities', (SELECT count(*) FROM identities WHERE user_id IN (SELECT id FROM u)),
      'sessions', (SELECT json_agg(json_build_array(generation, revoked_at) ORDER BY revoked_at, generation)
        FROM sessions WHERE user_id IN (SELECT id FROM u)),
      'tokens', (SELECT json_agg(json_build_array(purpose, consumed_at, revoked_at) ORDER BY purpose, consumed_at, revoked_at)
        FROM t),
      'mails', (SELECT json_agg(kind ORDER BY kind) FROM mails
        WHERE recipient = ${email} OR user_id IN (SELECT id FROM u) OR invitation_id IN (SELECT id FROM i)),
      'invitations', (SELECT json_agg(json_build_array(accepted_at, revoked_at, closed_at)) FROM i),
      'events', (SELECT json_agg(type ORDER BY type) FROM audit_events
        WHERE email = ${email} OR subject_id IN (SELECT id FROM u) OR data->>'name' = ${roleName ?? null}),
      'jobs', (SELECT count(*) FROM job WHERE data::text LIKE ${`%${email}%`}),
      'roles', (SELECT json_agg(json_build_array(description, permissions)) FROM roles WHERE name = ${roleName ?? null})
    ) AS state`;
  return row?.state;
}
