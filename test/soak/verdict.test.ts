import { describe, expect, it } from 'vitest';
import { readSoakOptions } from '../../bench/soak/options.ts';
import { judge } from '../../bench/soak/verdict.ts';

/** A hundred samples of so many sign-ins, with what was resident and on the heap after each. */
function outcome(
  resident: (sample: number) => number,
  heap: (sample: number) => number,
  { wanted = 100_000, done = 100_000 } = {},
) {
  const samples = Array.from({ length: 100 }, (_, sample) => ({
    done: (sample + 1) * 1000,
    residentMebibytes: resident(sample),
    heapMebibytes: heap(sample),
  }));
  return { name: 'sign-ins', wanted, done, seconds: 1000, samples };
}

const steady = () => 200;
/** Garbage that comes and goes. */
const sawtooth = (sample: number) => 60 + (sample % 7) * 10;

describe('the verdict of the soak', () => {
  it('is a plateau when memory rises at first and then only goes up and down', () => {
    const warmingUp = (sample: number) => (sample < 25 ? 150 + sample * 2 : 200 + (sample % 3));
    expect(judge(outcome(warmingUp, sawtooth))).toEqual({
      isGood: true,
      text: 'sign-ins: 100000 in 1000 s (100/s): a plateau; resident 201 MiB in the second quarter, 201 in the last, least heap 60 MiB in the second quarter, 60 in the last',
    });
  });

  it('is that memory grows when the resident memory does', () => {
    expect(judge(outcome((sample) => 200 + sample, sawtooth))).toMatchObject({
      isGood: false,
      text: expect.stringContaining('MEMORY GROWS; resident 237 MiB in the second quarter, 287 in the last'),
    });
  });

  it('is that memory grows when only the heap does, below its garbage', () => {
    expect(judge(outcome(steady, (sample) => sawtooth(sample) + sample / 10))).toMatchObject({ isGood: false });
  });

  it('is none when the time was up', () => {
    expect(judge(outcome(steady, steady, { done: 50_000 }))).toEqual({
      isGood: false,
      text: 'sign-ins: 50000 in 1000 s (50/s), of 100000: the time is up',
    });
  });

  it('is none of so few that nothing can be said', () => {
    expect(judge(outcome((sample) => sample, steady, { wanted: 10_000, done: 10_000 }))).toEqual({
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
