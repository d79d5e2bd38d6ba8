import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

export interface Probed {
  /** By the clock given. */
  readonly meMilliseconds: readonly number[];
  readonly healthzMilliseconds: readonly number[];
}

const AT_A_TIME = 4;
const BETWEEN_MILLISECONDS = 20;

interface ProbeOptions {
  readonly url: string;
  readonly accessToken: string;
  readonly seconds: number;
  readonly clock: () => number;
}

/** Asks for `me` and for `/healthz` over and over, a few at a time. */
export async function probe({ url, accessToken, seconds, clock }: ProbeOptions): Promise<Probed> {
  const agent = new Agent({ keepAlive: true });
  const endsAt = performance.now() + seconds * 1000;
  const [meMilliseconds, healthzMilliseconds] = await Promise.all([repeat(askForMe), repeat(() => send('/healthz'))]);
  agent.destroy();
  return { meMilliseconds, healthzMilliseconds };

  async function repeat(ask: () => Promise<unknown>): Promise<readonly number[]> {
    const milliseconds: number[] = [];
    await Promise.all(Array.from({ length: AT_A_TIME }, askOverAndOver));
    return milliseconds;

    async function askOverAndOver(): Promise<void> {
      while (performance.now() < endsAt) {
        const askedAt = clock();
        await ask();
        milliseconds.push(clock() - askedAt);
        await delay(BETWEEN_MILLISECONDS);
      }
    }
  }

  async function askForMe(): Promise<void> {
    const answer: unknown = JSON.parse(await send('/graphql', JSON.stringify({ query: '{ me { email } }' })));
    if (!isMe(answer)) throw new Error(`me answers ${JSON.stringify(answer)}`);
  }

  async function send(path: string, body?: string): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const options =
      body === undefined
        ? { agent }
        : {
            agent,
            method: 'POST',
            headers: { 'content-type': 'application/json', authorization: `Bearer ${accessToken}` },
          };
    request(`${url}${path}`, options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => resolve(text)).on('error', reject);
      if (response.statusCode !== 200) reject(new Error(`${path} answers ${response.statusCode}`));
    })
      .on('error', reject)
      .end(body);
    return promise;
  }
}

function isMe(answer: unknown): boolean {
  return typeof answer === 'object' && answer !== null && 'data' in answer && !('errors' in answer);
}
