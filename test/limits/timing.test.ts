import { v7 as newId } from 'uuid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RequestReset } from '../recovery/operations.ts';
import { Register, RequestVerification, registrant } from '../registration/operations.ts';
import { Login } from '../sessions/operations.ts';
import { createPeople } from '../support/many-people.ts';
import type { Answer, RequestOptions } from '../support/service.ts';
import { startTestService, type TestService } from '../support/service.ts';

const SAMPLES_OF_EACH = 150;
const WARM_UP = 10;
const MOST_MILLISECONDS_APART = 5;
const MOST_SHARE_APART = 0.05;
/** What is less apart than that may be chance, on a machine that has much else to do. */
const STANDARD_ERRORS = 3;
const PEOPLE = SAMPLES_OF_EACH + WARM_UP;

// A hash that costs next to nothing covers nothing up.
let service: TestService;
beforeAll(async () => {
  service = await startTestService({ environment: { RATE_LIMITING: 'on', TRUST_PROXY: '1' } });
});
afterAll(() => service.close());

type Send = (email: string, options: RequestOptions) => Promise<Answer<Readonly<Record<string, unknown>>>>;

const operations: readonly { readonly name: string; readonly answer: string; readonly send: Send }[] = [
  {
    name: 'login with a wrong password',
    answer: 'InvalidCredentialsError',
    send: (email, options) =>
      service.execute(Login, { input: { email, password: 'not the password of anybody' } }, options),
  },
  {
    name: 'registerUser',
    answer: 'RegisterUserPayload',
    send: (email, options) => service.execute(Register, { input: registrant(email) }, options),
  },
  {
    name: 'requestPasswordReset',
    answer: 'AcceptedPayload',
    send: (email, options) => service.execute(RequestReset, { email }, options),
  },
  {
    name: 'requestEmailVerification',
    answer: 'AcceptedPayload',
    send: (email, options) => service.execute(RequestVerification, { email }, options),
  },
];

describe('a stranger with a clock', () => {
  it.each(operations)(
    'does not learn from $name who has an account',
    { timeout: 120_000 },
    async ({ send, answer }) => {
      const { db, config } = service.app;
      const known = await createPeople(db, PEOPLE, config.argon2);
      const unknown = Array.from({ length: PEOPLE }, newAddress);
      const times = { known: [] as number[], unknown: [] as number[] };
      for (const [index, { email }] of known.entries()) {
        const pair = [['known', email] as const, ['unknown', unknown[index] ?? ''] as const];
        // Whatever else the machine does, and whatever comes of who is first, falls on both.
        if (Math.random() < 0.5) pair.reverse();
        for (const [whose, address] of pair) times[whose].push(await timed(() => ask(address)));
      }
      const [ofKnown, ofUnknown] = [times.known.slice(WARM_UP), times.unknown.slice(WARM_UP)];
      const medians = { known: median(ofKnown), unknown: median(ofUnknown) };
      const bound = Math.max(MOST_MILLISECONDS_APART, MOST_SHARE_APART * medians.unknown);
      const chance = STANDARD_ERRORS * Math.hypot(standardError(ofKnown), standardError(ofUnknown));
      expect(Math.abs(medians.known - medians.unknown), JSON.stringify({ medians, chance })).toBeLessThanOrEqual(
        Math.max(bound, chance),
      );

      async function ask(email: string): Promise<void> {
        const { data, errors } = await send(email, { headers: { 'x-forwarded-for': newClient() } });
        expect({ errors, answers: Object.values(data ?? {}) }).toEqual({
          errors: [],
          answers: [expect.objectContaining({ __typename: answer })],
        });
      }
    },
  );
});

function newAddress(): string {
  return `${newId()}@latchkey.test`;
}

let clients = 0;

/** An address that nobody else in this file comes from: none of them reaches a limit. */
function newClient(): string {
  clients += 1;
  return `198.18.${clients >> 8}.${clients & 255}`;
}

async function timed(act: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await act();
  return performance.now() - startedAt;
}

function median(numbers: readonly number[]): number {
  return quantile(numbers, 0.5);
}

/** Of the median, from how far the middle half is spread. */
function standardError(numbers: readonly number[]): number {
  const spread = (quantile(numbers, 0.75) - quantile(numbers, 0.25)) / 1.349;
  return (1.2533 * spread) / Math.sqrt(numbers.length);
}

function quantile(numbers: readonly number[], share: number): number {
  const sorted = Float64Array.from(numbers).sort();
  return sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
}
