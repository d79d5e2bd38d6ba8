import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

export interface ResendRequest {
  readonly path: string | undefined;
  readonly authorization: string | undefined;
  readonly idempotencyKey: string | undefined;
  readonly body: Readonly<Record<string, unknown>>;
}

/** How the API answers one request. */
export type ResendAnswer = (response: ServerResponse, request: ResendRequest) => void;

export interface ResendDouble {
  readonly url: string;
  readonly requests: readonly ResendRequest[];
  /** What it answers to the next requests, one each; then 200 to the others. */
  script: ResendAnswer[];
  close(): Promise<void>;
}

export const taken =
  (status: number): ResendAnswer =>
  (response) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end('{"id":"49a3999c"}');

/** As Resend refuses, with the whole mail in its words, as bad as it can be. */
export const refused =
  (statusCode: number, name: string, headers: Readonly<Record<string, string>> = {}): ResendAnswer =>
  (response, { body }) =>
    response
      .writeHead(statusCode, { 'content-type': 'application/json', ...headers })
      .end(JSON.stringify({ statusCode, name, message: JSON.stringify(body) }));

export const silence: ResendAnswer = () => {};

export const cut: ResendAnswer = (response) => response.destroy();

/** Stands in for Resend's API. */
export async function startResendDouble(): Promise<ResendDouble> {
  const requests: ResendRequest[] = [];
  const server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    const { authorization, 'idempotency-key': key } = request.headers;
    const body = (await json(request).catch(() => null)) as Record<string, unknown> | null;
    // Whoever asked has gone before all of it was there.
    if (body === null) return;
    const received = { path: request.url, authorization, idempotencyKey: String(key), body };
    requests.push(received);
    (double.script.shift() ?? taken(200))(response, received);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const double: ResendDouble = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    script: [],
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return double;
}
