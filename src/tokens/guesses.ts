import type { App } from '../app.ts';
import type { Client } from '../audit/service.ts';
import { clientNetwork } from '../limits/client-network.ts';
import { InvalidTokenError } from './errors.ts';

/**
 * What `find` finds. A token that was not made here, which `find` refuses, is a guess of this client, and after too many
 * of them nothing is looked up for it any more. Genuine tokens count nothing, however dead.
 *
 * @throws RateLimitedError
 */
export async function limitGuesses<Row>(app: App, { ipAddress }: Client, find: () => Promise<Row>): Promise<Row> {
  const throttleKeys = [`client:${clientNetwork(ipAddress ?? '')}`];
  (await app.tokenThrottle.read(throttleKeys)).refuseIfExhausted(throttleKeys);
  try {
    return await find();
  } catch (error) {
    if (error instanceof InvalidTokenError) await app.tokenThrottle.countAttempt(throttleKeys);
    throw error;
  }
}
