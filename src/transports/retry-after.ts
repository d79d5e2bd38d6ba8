const DAY_SECONDS = 86_400;

/**
 * How long a `Retry-After` header asks one to wait: seconds or a date, at most a day. Null when it is absent or nonsense.
 *
 * @see RFC 9110 §10.2.3
 */
export function retryAfterSeconds(header: string | undefined, now: Date): number | null {
  const text = header?.trim() ?? '';
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - now.getTime()) / 1000;
  if (Number.isNaN(seconds)) return null;
  return Math.min(Math.max(Math.ceil(seconds), 0), DAY_SECONDS);
}
