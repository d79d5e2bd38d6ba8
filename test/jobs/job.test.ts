import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineJob, delaySeconds } from '../../src/jobs/job.ts';

const retries = { firstDelaySeconds: 60, longestDelaySeconds: 21_600 };

describe('delaySeconds', () => {
  it('doubles from try to try up to the longest', () => {
    const tries = Array.from({ length: 11 }, (_, index) => index + 1);
    expect(tries.map((number) => delaySeconds(retries, number, 0, 0.5))).toEqual([
      60, 120, 240, 480, 960, 1920, 3840, 7680, 15_360, 21_600, 21_600,
    ]);
  });

  it('spreads by a fifth to either side', () => {
    expect([0, 1].map((random) => delaySeconds(retries, 1, 0, random))).toEqual([48, 72]);
  });

  it('is never shorter than was asked for, nor than its own', () => {
    expect([0, 1].map((random) => delaySeconds(retries, 1, 3600, random))).toEqual([3600, 3624]);
    expect(delaySeconds(retries, 9, 1, 0.5)).toBe(15_360);
  });
});

describe('defineJob', () => {
  const seen: unknown[] = [];
  const { work } = defineJob({
    name: 'test',
    payload: z.object({ id: z.uuid() }),
    tries: 1,
    retries,
    run: async (context: string, payload) => void seen.push([context, payload]),
    gaveUp: async (context, payload) => void seen.push([context, payload]),
  });
  const { signal } = new AbortController();

  it('hands the job its payload', async () => {
    const id = '0196a1b2-0000-7000-8000-000000000000';
    await work.run('context', { id, more: true }, signal);
    await work.gaveUp('context', { id });
    expect(seen).toEqual([
      ['context', { id }],
      ['context', { id }],
    ]);
  });

  it('refuses what is no payload of its', async () => {
    const refusal = { name: 'UnreadablePayloadError', message: 'this is no payload of test' };
    await expect(work.run('context', { id: 1 }, signal)).rejects.toMatchObject(refusal);
    await expect(work.gaveUp('context', null)).rejects.toMatchObject(refusal);
  });
});
