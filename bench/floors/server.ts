// The least that could answer for the service over HTTP: `node:http`, one hash or one statement, no GraphQL, no token.

import '../../src/thread-pool.ts';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { availableParallelism } from 'node:os';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { verifyPassword } from '../../src/crypto/password-hash.ts';
import { openDatabase } from '../../src/database/client.ts';
import { createHashGate } from '../../src/limits/hash-gate.ts';
import { Plan } from '../plan.ts';
import { LOGIN_PATH, ME_PATH, REFRESH_PATH, SESSION_PATH } from './paths.ts';
import { insertSession, rotateSession, selectSessionAndUser } from './session-statements.ts';

const [message] = await once(process, 'message');
const { pool, close } = await openDatabase(Plan.shape.database.parse(message));
const hashGate = createHashGate({ concurrency: availableParallelism(), maxQueued: Number.POSITIVE_INFINITY });

const PersonBody = Plan.shape.people.element;
const PasswordBody = PersonBody.pick({ password: true, passwordHash: true });
const SessionBody = z.object({ sessionId: z.string() });
const TokenBody = SessionBody.extend({ generation: z.int() });

const server = createServer(async (request, response) => {
  response.setHeader('content-type', 'application/json');
  response.end(await answer(request));
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
process.send?.(server.address());

await once(process, 'disconnect');
await close();
process.exit();

async function answer(request: IncomingMessage): Promise<string> {
  const body: unknown = JSON.parse(await text(request));
  switch (request.url) {
    case SESSION_PATH:
      return insertSession(pool, PersonBody.parse(body));
    case LOGIN_PATH: {
      const { password, passwordHash } = PasswordBody.parse(body);
      return String(await hashGate.run(() => verifyPassword(passwordHash, password)));
    }
    case REFRESH_PATH: {
      const { sessionId, generation } = TokenBody.parse(body);
      return String(await rotateSession(pool, sessionId, generation));
    }
    case ME_PATH:
      return JSON.stringify(await selectSessionAndUser(pool, SessionBody.parse(body).sessionId));
    default:
      throw new Error(`nothing is at ${request.url}`);
  }
}
