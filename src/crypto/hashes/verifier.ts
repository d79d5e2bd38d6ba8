import { timingSafeEqual } from 'node:crypto';

/** Whether this password, in UTF-8 and exactly as it is, is the one behind a hash. Computes off the event loop. */
export type PasswordVerifier = (password: string) => Promise<boolean>;

/**
 * What another system wrote down of a password that it stretched: whoever stretches it again the same way and gets
 * `tag` knows it.
 */
export interface StretchedPassword {
  readonly salt: Buffer;
  readonly tag: Buffer;
}

/** Takes as long for a tag that is wrong at its end as for one that is wrong at its beginning. */
export function tagsAreEqual(computed: Buffer, stored: Buffer): boolean {
  return computed.length === stored.length && timingSafeEqual(computed, stored);
}
