import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Me, signIn } from '../process/operations.ts';
import { type Environment, type ServiceProcess, startService } from '../support/process.ts';
import { administrator, testEnvironment } from '../support/service.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
}

interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: Span['attributes'] };
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
  }[];
}

/** What a collector does with OTLP over HTTP: it takes everything. */
async function startCollector() {
  const exports: Export[] = [];
  const server = createServer(async (request, response) => {
    if (request.url === '/v1/traces') exports.push((await json(request)) as Export);
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { exports, server, url: urlOf(server) };
}

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

let database: TestDatabase;
let environment: Environment;
beforeAll(async () => {
  database = await createTestDatabase();
  environment = { ...testEnvironment, DATABASE_URL: database.url };
});
afterAll(() => database.drop());

describe('OTEL_EXPORTER_OTLP_ENDPOINT', () => {
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
    const spans = resources.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans));
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

  it('may be down: the service answers and ends as ever', async () => {
    const collector = await startCollector();
    collector.server.close();
    await once(collector.server, 'close');
    const service: ServiceProcess = await startService({ ...environment, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    await signIn(service, administrator);
    expect((await service.stop()).code).toBe(0);
  });
});
