import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import dashboard from '../../docs/grafana-dashboard.json' with { type: 'json' };
import { tableOf } from '../docs/documents.ts';
import { graphql } from '../gql/gql.ts';
import { signIn } from '../support/people.ts';
import { administrator, startTestService, type TestService } from '../support/service.ts';
import { withStatements } from '../support/statements.ts';

const LogIn = graphql(`
  mutation MetricsLogIn($input: LoginInput!) {
    login(input: $input) {
      __typename
    }
  }
`);

const Me = graphql(`
  query MetricsMe {
    me {
      id
    }
  }
`);

const ForgotPassword = graphql(`
  mutation MetricsForgotPassword($input: RequestPasswordResetInput!) {
    requestPasswordReset(input: $input) {
      __typename
    }
  }
`);

const { panels } = dashboard;
const METRIC_NAME = /\b(?:latchkey|nodejs|process)_[a-z0-9_]+/g;

let service: TestService;
beforeAll(async () => {
  service = await startTestService({ environment: { METRICS: 'on', RATE_LIMITING: 'on' } });
});
afterAll(() => service.close());

async function scrape(): Promise<{ readonly status: number; readonly type: string | null; readonly text: string }> {
  const response = await fetch(`${service.url}/metrics`);
  return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
}

/** The value of one series, or null when there is none. */
async function read(series: string): Promise<number | null> {
  const { text } = await scrape();
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  return line === undefined ? null : Number(line.slice(series.length));
}

function logIn(password: string) {
  return service.execute(LogIn, { input: { email: administrator.email, password } });
}

describe('/metrics', () => {
  it('is text that Prometheus reads', async () => {
    const { status, type, text } = await scrape();
    expect({ status, type }).toEqual({ status: 200, type: 'text/plain; version=0.0.4; charset=utf-8' });
    const malformed = text.split('\n').filter((line) => !/^(#.*|[a-z0-9_]+(\{.*\})? (\S+))?$/.test(line));
    expect(malformed).toEqual([]);
  });

  it('counts operations by what became of them', async () => {
    const series = (outcome: string) => `latchkey_operations_total{field="Mutation.login",outcome="${outcome}"}`;
    const before = { ok: (await read(series('OK'))) ?? 0, refused: (await read(series('INVALID_CREDENTIALS'))) ?? 0 };
    await logIn(administrator.password);
    await logIn('not the password at all');
    await logIn('not this one either, no');
    expect(await read(series('OK'))).toBe(before.ok + 1);
    expect(await read(series('INVALID_CREDENTIALS'))).toBe(before.refused + 2);
  });

  it('counts what nobody may see as refused', async () => {
    await service.execute(Me);
    expect(await read('latchkey_operations_total{field="Query.me",outcome="UNAUTHENTICATED"}')).toBe(1);
    const { accessToken } = await signIn(service, administrator);
    await service.execute(Me, {}, { accessToken });
    expect(await read('latchkey_operations_total{field="Query.me",outcome="OK"}')).toBe(1);
  });

  it('counts requests of which nothing was run, and takes no name from them', async () => {
    const body = JSON.stringify({ query: 'query chosen_by_a_stranger { chosen_by_a_stranger }' });
    await fetch(`${service.url}/graphql`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    expect(await read('latchkey_refused_requests_total{code="GRAPHQL_VALIDATION_FAILED"}')).toBe(1);
    expect((await scrape()).text).not.toContain('chosen_by_a_stranger');
  });

  it('counts hashes and measures them', async () => {
    const before = (await read('latchkey_hash_seconds_count')) ?? 0;
    await logIn(administrator.password);
    expect(await read('latchkey_hash_seconds_count')).toBe(before + 1);
    expect(await read('latchkey_hashes_running')).toBe(0);
    expect(await read('latchkey_hashes_queued')).toBe(0);
  });

  it('counts attempts that a limit refused', async () => {
    for (let attempt = 0; attempt < 25; attempt += 1) await logIn('guess after guess after guess');
    expect(await read('latchkey_limited_total{limit="login"}')).toBeGreaterThan(0);
  });

  describe('of jobs', () => {
    let other: TestService;
    beforeAll(async () => {
      other = await startTestService({ environment: { METRICS: 'on' } });
      await other.execute(ForgotPassword, { input: { email: 'nobody@latchkey.test' } });
    });
    afterAll(() => other.close());

    const scrapeOther = async () => (await fetch(`${other.url}/metrics`)).text();

    it('tell how many wait, for one look at the queue however often they are asked for', async () => {
      const { answer, statements } = await withStatements(() => Promise.all(Array.from({ length: 20 }, scrapeOther)));
      const told = answer.map((text) => text.match(/^latchkey_queue_jobs.*$/gm));
      const states = ['due', 'deferred', 'running', 'buried'];
      const series = states.map((state) => `latchkey_queue_jobs{state="${state}"} ${state === 'due' ? 1 : 0}`);
      expect(told).toEqual(Array.from({ length: 20 }, () => series));
      expect(statements.filter((text) => text.includes('monitor_on')).length).toBeLessThanOrEqual(2);
    });

    it('count their tries by what became of them', async () => {
      await other.runJobs();
      const text = await scrapeOther();
      expect(text).toContain('latchkey_jobs_total{job="password_reset_requested",outcome="done"} 1\n');
      expect(text).toContain('latchkey_job_seconds_count{job="password_reset_requested"} 1\n');
    });

    it('are left out while the queue cannot be asked, and the rest is told as ever', async () => {
      const broken = await startTestService({ environment: { METRICS: 'on' } });
      await broken.app.database.pool.query('ALTER TABLE queue RENAME TO gone');
      const response = await fetch(`${broken.url}/metrics`);
      const text = await response.text();
      expect(response.status).toBe(200);
      expect(text).toContain('# TYPE latchkey_queue_jobs gauge');
      expect(text).not.toContain('latchkey_queue_jobs{');
      expect(text).toContain('latchkey_hashes_running 0');
      await broken.close();
    });
  });

  it('tells of the pool, the event loop and the process', async () => {
    expect(await read('latchkey_database_connections')).toBeGreaterThan(0);
    expect(await read('latchkey_database_connections_awaited')).toBe(0);
    expect(await read('nodejs_eventloop_lag_p99_seconds')).not.toBeNull();
    expect(await read('process_resident_memory_bytes')).toBeGreaterThan(0);
  });

  it('has every metric that the dashboard asks for', async () => {
    await logIn(administrator.password);
    const { text } = await scrape();
    const metrics = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
    const asked = panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => expr.match(METRIC_NAME) ?? []));
    expect(asked.length).toBeGreaterThan(10);
    expect(asked.filter((name) => !metrics.has(name.replace(/_(bucket|count)$/, '')))).toEqual([]);
  });

  it('is told in the manual, each by its name, and nothing else is', async () => {
    const { text } = await scrape();
    const ours = [...text.matchAll(/^# TYPE (latchkey_\S+)/gm)].map(([, name]) => name);
    const told = tableOf('docs/operating.md', 'metric').flatMap(([names = '']) => names.match(/latchkey_\w+/g) ?? []);
    expect([...told].sort()).toEqual([...ours].sort());
  });

  it('is not there with METRICS=off', async () => {
    const other = await startTestService();
    const response = await fetch(`${other.url}/metrics`);
    expect(response.status).toBe(404);
    await other.close();
  });
});
