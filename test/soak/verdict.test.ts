import { describe, expect, it } from 'vitest';
import { readSoakOptions } from '../../bench/soak/options.ts';
import { judge } from '../../bench/soak/verdict.ts';

/** What was resident, and what collections left, after each hundredth and each twentieth of so many sign-ins. */
function outcome(
  resident: (done: number) => number,
  left: (done: number) => number,
  { wanted = 100_000, done }: { readonly wanted?: number; readonly done?: number } = {},
) {
  const evenly = (count: number, mebibytes: (done: number) => number) =>
    Array.from({ length: count }, (_, index) => mebibytes(((index + 1) * wanted) / count));
  const measured = { residentMebibytes: evenly(100, resident), leftMebibytes: evenly(20, left) };
  return { name: 'sign-ins', wanted, done: done ?? wanted, seconds: 1000, ...measured };
}

const steady = () => 200;
/** Of requests under way. */
const nearlySteady = (done: number) => 60 + ((done / 1000) % 7) / 10;
const growingBy = (bytesEach: number) => (done: number) => nearlySteady(done) + (done * bytesEach) / 1024 ** 2;

describe('the verdict of the soak', () => {
  it('is a plateau when memory rises at first and then only goes up and down', () => {
    const warmingUp = (done: number) => (done <= 25_000 ? 150 + done / 500 : 200 + ((done / 1000) % 3));
    expect(judge(outcome(warmingUp, nearlySteady))).toEqual({
      isGood: true,
      text: 'sign-ins: 100000 in 1000 s (100/s): a plateau; resident 201 MiB in the second quarter, 201 in the last; left on the heap by collections 60.0 MiB in the second quarter, 60.1 in the last',
    });
  });

  it('is that memory grows when the resident memory does', () => {
    expect(judge(outcome((done) => 200 + done / 1000, nearlySteady))).toMatchObject({
      isGood: false,
      text: expect.stringContaining('MEMORY GROWS; resident 238 MiB in the second quarter, 288 in the last'),
    });
  });

  it.for([
    [40_000, 200],
    [100_000, 50],
    [1_000_000, 4],
  ] as const)(
    'is that memory grows when each of %i leaves %i bytes that no collection takes',
    ([wanted, bytesEach]) => {
      expect(judge(outcome(steady, growingBy(bytesEach), { wanted }))).toMatchObject({ isGood: false });
      expect(judge(outcome(steady, nearlySteady, { wanted }))).toMatchObject({ isGood: true });
    },
  );

  it('is none when the time was up', () => {
    expect(judge(outcome(steady, steady, { done: 50_000 }))).toEqual({
      isGood: false,
      text: 'sign-ins: 50000 in 1000 s (50/s), of 100000: the time is up',
    });
  });

  it('is none of so few that nothing can be said', () => {
    expect(judge(outcome((done) => done, steady, { wanted: 10_000 }))).toEqual({
      isGood: true,
      text: 'sign-ins: 10000 in 1000 s (10/s): too few to judge',
    });
  });
});

describe('the options of the soak', () => {
  it('are 100,000 sign-ins and 200,000 queries, unless they say otherwise', () => {
    expect(readSoakOptions([])).toEqual({ logins: 100_000, queries: 200_000, requests: 0, minutes: 60 });
    expect(readSoakOptions(['--logins', '0', '--queries=5', '--requests', '1000000', '--minutes', '3'])).toEqual({
      logins: 0,
      queries: 5,
      requests: 1_000_000,
      minutes: 3,
    });
  });

  it.for([['--logins', '-1'], ['--logins', 'many'], ['--minutes', '0'], ['--sessions', '1'], ['logins']])(
    'are refused when they are not understood: %s',
    (options) => expect(readSoakOptions(options)).toBeNull(),
  );
});
