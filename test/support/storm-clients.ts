import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { loopTimeOf } from './loop-time.ts';

// In a thread of its own, so that whoever looks at the service meanwhile has an event loop that is free.

export interface StormPlan {
  readonly url: string;
  readonly processId: number;
  /** How many try at the same time. */
  readonly atOnce: number;
  readonly seconds: number;
  readonly document: string;
  readonly people: readonly { readonly email: string; readonly password: string }[];
}

export const ATTEMPTS = ['valid', 'invalid', 'unknown'] as const;

/** One attempt to sign in, and what became of it. */
export interface StormAttempt {
  readonly attempt: (typeof ATTEMPTS)[number];
  /** The type of the result; else the status and the body, or the error. */
  readonly outcome: string;
  /** In seconds: what the body says and what the header says. */
  readonly retryAfter: readonly [number | null, number | null];
  /** That the event loop of the service was given meanwhile. */
  readonly milliseconds: number;
}

const { url, processId, atOnce, seconds, document, people }: StormPlan = workerData;
const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
const clock = loopTimeOf(processId);
const attempts: StormAttempt[] = [];
const endsAt = performance.now() + seconds * 1000;

await Promise.all(Array.from({ length: atOnce }, (_, index) => storm(index)));
agent.destroy();
parentPort?.postMessage(attempts);

/** Tries over and over; whoever is refused comes back when they were told to. */
async function storm(index: number): Promise<void> {
  const attempt = ATTEMPTS[index % ATTEMPTS.length] ?? 'valid';
  const person = people[index % people.length] ?? { email: '', password: '' };
  for (let count = 0; performance.now() < endsAt; count += 1) {
    const askedAt = clock();
    const input = {
      email: attempt === 'unknown' ? `nobody.${index}.${count}@latchkey.test` : person.email,
      password: attempt === 'valid' ? person.password : 'not the password of anybody',
    };
    const answer = await logIn(input, `198.${18 + (index >> 8)}.${index & 255}.${count & 255}`).catch(failed);
    attempts.push({ attempt, ...answer, milliseconds: clock() - askedAt });
    const [retryAfterSeconds] = answer.retryAfter;
    if (retryAfterSeconds !== null)
      await delay(Math.max(0, Math.min(retryAfterSeconds * 1000, endsAt - performance.now())));
  }
}

async function logIn(input: object, from: string) {
  const body = JSON.stringify({ query: document, variables: input });
  const { promise, resolve, reject } = Promise.withResolvers<Pick<StormAttempt, 'outcome' | 'retryAfter'>>();
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'x-forwarded-for': from,
  };
  request(`${url}/graphql`, { agent, method: 'POST', headers }, (response) => {
    text(response).then((answer) => {
      const login: unknown = JSON.parse(answer)?.data?.login;
      resolve({
        outcome: String(property(login, '__typename') ?? `${response.statusCode} ${answer}`),
        retryAfter: [numberOrNull(property(login, 'retryAfterSeconds')), numberOrNull(response.headers['retry-after'])],
      });
    }, reject);
  })
    .on('error', reject)
    .end(body);
  return promise;
}

function failed(error: unknown): Pick<StormAttempt, 'outcome' | 'retryAfter'> {
  return { outcome: String(error), retryAfter: [null, null] };
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function numberOrNull(value: unknown): number | null {
  return value === undefined ? null : Number(value);
}
