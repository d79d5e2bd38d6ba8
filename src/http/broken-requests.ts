import { type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { securityHeaders, setSecurityHeaders } from './security-headers.ts';

const STATUSES: ReadonlyMap<unknown, number> = new Map([
  ['HPE_HEADER_OVERFLOW', 431],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', 413],
  ['ERR_HTTP_REQUEST_TIMEOUT', 408],
]);

/**
 * Has the server answer what is no request, or none that it could meet, as Node itself does, and with the headers that
 * every answer has.
 */
export function answerBrokenRequests(server: Server, publicUrl: string | null): void {
  const latest = new WeakMap<Socket, ServerResponse>();
  server.prependListener('request', (request, response) => latest.set(request.socket, response));

  server.on('checkExpectation', (_request, response) => {
    setSecurityHeaders(publicUrl, response);
    response.writeHead(417).end();
  });

  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const response = latest.get(socket);
    // In the middle of an answer this would be part of it.
    if (socket.writable && (response === undefined || !response.headersSent || response.writableFinished)) {
      socket.write(answerOf(STATUSES.get(error.code) ?? 400, publicUrl));
    }
    socket.destroySoon();
  });
}

function answerOf(status: number, publicUrl: string | null): string {
  const headers = Object.entries(securityHeaders(publicUrl)).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\n${headers.join('')}\r\n`;
}
