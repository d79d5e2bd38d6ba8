import { describe, expect, it } from 'vitest';
import { durationInWords, instantInWords } from '../../src/mail/expiry.ts';

const instant = new Date('2026-11-29T14:05:00Z');

describe('instantInWords', () => {
  it.each([
    ['en-GB', 'Sunday, 29 November 2026 at 14:05 UTC'],
    ['en', 'Sunday, November 29, 2026 at 2:05 PM UTC'],
    ['de', 'Sonntag, 29. November 2026 um 14:05 UTC'],
    ['fr', 'dimanche 29 novembre 2026 à 14:05 UTC'],
  ])('writes an instant as in %s, with its time zone', (locale, text) => {
    expect(instantInWords(locale, instant).replaceAll(/\s/gu, ' ')).toBe(text);
  });
});

describe('durationInWords', () => {
  const MINUTE = 60_000;

  it.each([
    [7 * 1440, '7 days'],
    [365 * 1440, '365 days'],
    [2880, '2 days'],
    [1440, '24 hours'],
    [36 * 60, '36 hours'],
    [120, '2 hours'],
    [90, '90 minutes'],
    [60, '60 minutes'],
    [1, '1 minute'],
  ])('says of %i minutes: %s', (minutes, text) => {
    expect(durationInWords('en', instant, new Date(instant.getTime() + minutes * MINUTE))).toBe(text);
  });

  it('is not misled by the moments between two readings of the clock', () => {
    expect(durationInWords('en', instant, new Date(instant.getTime() + 7 * 1440 * MINUTE - 1700))).toBe('7 days');
  });

  it('speaks other languages', () => {
    expect(durationInWords('de', instant, new Date(instant.getTime() + 120 * MINUTE))).toBe('2 Stunden');
  });
});
