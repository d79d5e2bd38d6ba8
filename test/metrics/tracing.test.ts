import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { graphql } from '../gql/gql.ts';
import { Me, signIn } from '../process/operations.ts';
import { type Span, spansOf, startCollector } from '../support/collector.ts';
import {
  cliScript,
  type Environment,
  type ServiceProcess,
  sourceScript,
  startProcess,
  startService,
} from '../support/process.ts';
import { administrator, testEnvironment } from '../support/service.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

interface Mail {
  readonly text: string;
  readonly sentAt: string | null;
}

const ForgotPassword = graphql(`
  mutation TracingForgotPassword($input: RequestPasswordResetInput!) {
    requestPasswordReset(input: $input) {
      __typename
    }
  }
`);

let database: TestDatabase;
let environment: Environment;
beforeAll(async () => {
  database = await createTestDatabase();
  environment = { ...testEnvironment, DATABASE_URL: database.url };
});
afterAll(() => database.drop());

function attributesOf({ attributes }: Span): Readonly<Record<string, unknown>> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}

/** Has Node refuse to load what speaks to a collector. */
const WITHOUT_SDK = `--import "data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  const resolve = (name, context, next) => {
    if (/@opentelemetry\\/(?!api)/.test(name)) throw new Error('there is no tracing here');
    return next(name, context);
  };
  registerHooks({ resolve });`)}"`;

describe('OTEL_EXPORTER_OTLP_ENDPOINT', { timeout: 60_000 }, () => {
  it('is told of requests and what they did, below the span of the caller, and of no secret', async () => {
    const collector = await startCollector();
    const service = await startService({ ...environment, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    const tokens = await signIn(service, administrator);
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
    await service.execute(Me, {}, { accessToken: tokens.accessToken, headers });
    // The end sends what is left.
    expect((await service.stop()).code).toBe(0);
    collector.server.close();

    const resources = collector.exports.flatMap(({ resourceSpans }) => resourceSpans);
    const spans = spansOf(collector);
    expect(resources[0]?.resource.attributes).toContainEqual({
      key: 'service.name',
      value: { stringValue: 'latchkey' },
    });
    const request = spans.find((span) => span.traceId === traceId && span.name === 'POST /graphql');
    expect(request?.parentSpanId).toBe('00f067aa0ba902b7');
    const me = spans.find(({ name }) => name === 'Query.me');
    expect({ traceId: me?.traceId, parent: me?.parentSpanId }).toEqual({ traceId, parent: request?.spanId });
    const logIn = spans.find(({ name }) => name === 'Mutation.login');
    expect(logIn?.attributes).toContainEqual({ key: 'latchkey.outcome', value: { stringValue: 'OK' } });
    expect(spans.filter(({ name }) => name === 'hash').map(({ parentSpanId }) => parentSpanId)).toContain(
      logIn?.spanId,
    );
    const sent = JSON.stringify(collector.exports);
    for (const secret of [tokens.accessToken, tokens.refreshToken, administrator.password, administrator.email]) {
      expect(sent).not.toContain(secret);
    }
  });

  it('is told of each statement by what it does to which table, and of jobs below the request that asked for them', async () => {
    const collector = await startCollector();
    const traced = { ...environment, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
    const service = await startService(traced);
    const worker = startProcess(cliScript, ['worker'], { environment: traced });
    await worker.untilPrinted(/"msg":"ready"/);
    const tokens = await signIn(service, administrator);
    const traceId = '5bf92f3577b34da6a3ce929d0e0e4736';
    const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
    await service.execute(Me, {}, { accessToken: tokens.accessToken, headers });
    await service.execute(ForgotPassword, { input: { email: administrator.email } }, { headers });
    const mails = async () => (await fetch(`${service.url}/mailbox.json`)).json() as Promise<readonly Mail[]>;
    await expect.poll(mails, { timeout: 20_000 }).toMatchObject([{ sentAt: expect.any(String) }]);
    const [mail] = await mails();
    // The end sends what is left.
    worker.send('SIGTERM');
    expect([(await worker.exit).code, (await service.stop()).code]).toEqual([0, 0]);
    collector.server.close();

    const spans = spansOf(collector).filter((span) => span.traceId === traceId);
    const named = (name: string) => spans.filter((span) => span.name === name);
    const me = named('Query.me')[0];
    const lookUp = named('find_signed_in').find((span) => span.parentSpanId === me?.spanId);
    expect(lookUp && attributesOf(lookUp)).toEqual({
      'db.system.name': 'postgresql',
      'db.operation.name': 'SELECT',
    });
    const asked = named('Mutation.requestPasswordReset')[0];
    const [looked] = named('job password_reset_requested');
    expect(looked?.parentSpanId).toBe(asked?.spanId);
    const [sent] = named('job send_mail');
    expect(sent && attributesOf(sent)).toMatchObject({ 'latchkey.outcome': 'done' });
    expect(spans.find(({ spanId }) => spanId === sent?.parentSpanId)?.traceId).toBe(traceId);
    expect(named('UPDATE mails').map(({ parentSpanId }) => parentSpanId)).toContain(sent?.spanId);
    const told = JSON.stringify(collector.exports);
    const token = /token=([\w-]+)/.exec(mail?.text ?? '')?.[1];
    expect(token).toBeDefined();
    for (const secret of [
      tokens.accessToken,
      tokens.refreshToken,
      token,
      administrator.password,
      administrator.email,
    ]) {
      expect(told).not.toContain(secret);
    }
  });

  it('costs nothing where it is not set: what speaks to a collector is not even loaded', async () => {
    const fromSources = { script: sourceScript };
    const service = await startService({ ...environment, NODE_OPTIONS: WITHOUT_SDK }, fromSources);
    await signIn(service, administrator);
    expect((await service.stop()).code).toBe(0);
    const traced = { ...environment, NODE_OPTIONS: WITHOUT_SDK, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' };
    await expect(startService(traced, fromSources)).rejects.toThrow('there is no tracing here');
  });

  it('may be down: the service answers and ends as ever', async () => {
    const collector = await startCollector();
    collector.server.close();
    await once(collector.server, 'close');
    const service: ServiceProcess = await startService({ ...environment, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    await signIn(service, administrator);
    expect((await service.stop()).code).toBe(0);
  });
});
