import { channel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestService, type TestService } from '../support/service.ts';
import { expectNothingOnRecord, expectStillServing } from './expectations.ts';
import { operation, sendRaw } from './raw-request.ts';

let service: TestService;
let server: Server;

beforeAll(async () => {
  service = await startTestService();
  server = await serverOf(service);
});

afterAll(() => service.close());

const login = operation('mutation { login(input: { email: "a@b.example", password: "x" }) { __typename } }');
const start = 'POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n';

describe('a client', () => {
  it('has 10 seconds for the headers of a request, and 30 for all of it, which is looked at every second', () => {
    expect([server.headersTimeout, server.requestTimeout]).toEqual([10_000, 30_000]);
    expect(server).toMatchObject({ keepAliveTimeout: 65_000 });
    expect(Reflect.get(server, 'connectionsCheckingInterval')).toBe(1000);
  });

  // Whether the times are kept, with shorter ones.
  it.each([
    ['headers', start, { headersTimeout: 100 }],
    [
      'a body',
      `${start}content-length: ${login.length}\r\n\r\n${login.slice(0, 20)}`,
      { requestTimeout: 200, headersTimeout: 100 },
    ],
  ])('that does not finish %s is hung up on', async (_, bytes, times) => {
    const { headersTimeout, requestTimeout } = server;
    Object.assign(server, times);
    try {
      const socket = open();
      socket.write(bytes);
      const [data] = await once(socket, 'data');
      await once(socket, 'close');
      expect(String(data)).toMatch(/^HTTP\/1\.1 (?:408 Request Timeout|400 Bad Request)\r\n/);
    } finally {
      Object.assign(server, { headersTimeout, requestTimeout });
    }
    await expectNothingOnRecord(service);
    await expectStillServing(service);
  });

  it('that leaves in the middle of a request disturbs nobody, and nothing is done', async () => {
    for (const bytes of [
      'POST /gra',
      start,
      `${start}content-length: ${login.length}\r\n\r\n${login.slice(0, 20)}`,
      `${start}transfer-encoding: chunked\r\n\r\n5\r\n{"que`,
      `${start}content-length: 200000\r\n\r\n${login}`,
    ]) {
      const hungUp = new Promise((resolve) => {
        server.once('connection', (connection) => connection.once('close', resolve));
      });
      const socket = open();
      socket.write(bytes, () => socket.resetAndDestroy());
      await hungUp;
    }
    await expectStillServing(service);
    await expectNothingOnRecord(service);
    expect(service.log.filter((line) => JSON.parse(line).level >= 50)).toEqual([]);
  });

  it('that does not wait for the answer disturbs nobody either', async () => {
    const finished = new Promise<void>((resolve) => {
      server.once('request', (_, response) => response.once('close', resolve));
    });
    const socket = open();
    socket.end(
      `${start}content-length: ${login.length}\r\n\r\n${operation('{ me { id } }').padEnd(login.length)}`,
      () => socket.resetAndDestroy(),
    );
    await finished;
    await expectStillServing(service);
    expect(service.log.filter((line) => JSON.parse(line).level >= 50)).toEqual([]);
  });

  it('that sends several requests at once gets several answers, in their order', async () => {
    const request = (query: string) => {
      const body = operation(query);
      return `${start}content-length: ${body.length}\r\n\r\n${body}`;
    };
    const socket = open();
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk;
    });
    socket.write(`${request('{ first: __typename }')}${request('{')}${request('{ third: __typename }')}`);
    socket.end('GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n');
    await once(socket, 'close');
    const answers = [...received.matchAll(/"first"|Syntax Error|"third"|"alive"/g)].map(([text]) => text);
    expect(answers).toEqual(['"first"', 'Syntax Error', '"third"', '"alive"']);
  });
});

function open(): Socket {
  const { hostname, port } = new URL(service.url);
  return connect(Number(port), hostname).on('error', () => {});
}

interface RequestStart {
  readonly request: IncomingMessage;
  readonly server: Server;
}

/** The server behind the service, as Node itself tells of it. */
async function serverOf({ url }: TestService): Promise<Server> {
  const requests = channel('http.server.request.start');
  const { promise, resolve } = Promise.withResolvers<Server>();
  const listener = (message: unknown) => resolve((message as RequestStart).server);
  requests.subscribe(listener);
  try {
    await sendRaw(url, { method: 'GET', target: '/healthz' });
    return await promise;
  } finally {
    requests.unsubscribe(listener);
  }
}
