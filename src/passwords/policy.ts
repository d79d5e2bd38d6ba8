import type { App } from '../app.ts';
import { MAX_PASSWORD_CODE_POINTS } from '../crypto/password-hash.ts';
import { type FieldProblem, ValidationError } from '../errors.ts';

/** Whose password it shall be: nothing that everybody knows about them makes a secret. */
export interface PasswordOwner {
  /** Canonical. */
  readonly email: string;
  readonly firstName: string;
  readonly lastName: string;
}

/**
 * The password may become this person's: it has PASSWORD_MIN_LENGTH to 256 code points, counted after NFC, whichever
 * they are.
 *
 * @throws ValidationError with one problem at `path`, from the operation's arguments down: TOO_SHORT, TOO_LONG or
 * INVALID_CHARACTERS
 * @see NIST SP 800-63B-4 §3.1.1.2
 */
export function requireAcceptablePassword(
  app: App,
  password: string,
  _about: PasswordOwner,
  path: readonly string[],
): void {
  const problem = problemOf(password, app.config.passwordMinLength);
  if (problem !== null) throw new ValidationError([{ path, ...problem }]);
}

function problemOf(password: string, minLength: number): Omit<FieldProblem, 'path'> | null {
  const tooLong = { code: 'TOO_LONG', message: `At most ${MAX_PASSWORD_CODE_POINTS} characters.` };
  // Bounded before it is normalised, which shortens a text to a quarter at most; a code point takes two units at most.
  if (password.length > MAX_PASSWORD_CODE_POINTS * 4 * 2) return tooLong;
  if (!password.isWellFormed()) return { code: 'INVALID_CHARACTERS', message: 'This holds half a character.' };
  const { length } = [...password.normalize('NFC')];
  if (length > MAX_PASSWORD_CODE_POINTS) return tooLong;
  if (length < minLength) return { code: 'TOO_SHORT', message: `At least ${minLength} characters.` };
  return null;
}
