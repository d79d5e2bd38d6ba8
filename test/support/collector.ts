import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
}

export interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: Span['attributes'] };
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
  }[];
}

/** What a collector does with OTLP over HTTP: it takes everything. */
export async function startCollector() {
  const exports: Export[] = [];
  const server = createServer(async (request, response) => {
    // Null of a process that was ended in the middle of it.
    const body = (await json(request).catch(() => null)) as Export | null;
    if (request.url === '/v1/traces' && body !== null) exports.push(body);
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { exports, server, url: urlOf(server) };
}

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export function spansOf({ exports }: { readonly exports: readonly Export[] }): readonly Span[] {
  const resources = exports.flatMap(({ resourceSpans }) => resourceSpans);
  return resources.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans));
}
