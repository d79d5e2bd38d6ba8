// The least that could answer for the service over HTTP: `node:http`, one hash or one statement, no GraphQL, no token.

import '../../src/thread-pool.ts';
import { createServer, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { verifyPassword } from '../../src/crypto/password-hash.ts';
import { Plan } from '../plan.ts';
import { LOGIN_PATH, ME_PATH, REFRESH_PATH, SESSION_PATH } from './paths.ts';
import { serveFloor } from './serve-floor.ts';
import { insertSession, rotateSession, selectSessionAndUser } from './session-statements.ts';

const PersonBody = Plan.shape.people.element;
const PasswordBody = PersonBody.pick({ password: true, passwordHash: true });
const SessionBody = z.object({ sessionId: z.string() });
const TokenBody = SessionBody.extend({ generation: z.int() });

await serveFloor(({ pool, hashGate }) => {
  return createServer(async (request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(await answer(request));
  });

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
        return String((await rotateSession(pool, sessionId, generation)).generation);
      }
      case ME_PATH:
        return JSON.stringify(await selectSessionAndUser(pool, SessionBody.parse(body).sessionId));
      default:
        throw new Error(`nothing is at ${request.url}`);
    }
  }
});
