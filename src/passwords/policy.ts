import type { App } from '../app.ts';
import { ValidationError } from '../errors.ts';
import { type PasswordOwner, passwordProblem } from './acceptable.ts';

/**
 * The password may become this person's: it has PASSWORD_MIN_LENGTH to 256 code points, counted after NFC, whichever
 * they are, and is not among what is tried first: common passwords, two words of those and little more, what is known
 * of the person and of the service, sequences, and one pattern over and over.
 *
 * @throws ValidationError with one problem at `path`, from the operation's arguments down: TOO_SHORT, TOO_LONG,
 * INVALID_CHARACTERS, TOO_COMMON, CONTAINS_PERSONAL_DATA or REPEATED_PATTERN
 * @see NIST SP 800-63B-4 §3.1.1.2
 */
export function requireAcceptablePassword(
  app: App,
  password: string,
  about: PasswordOwner,
  path: readonly string[],
): void {
  const { hostname: hostName } = new URL(app.issuer.url);
  const problem = passwordProblem(password, about, { minLength: app.config.passwordMinLength, hostName });
  if (problem !== null) throw new ValidationError([{ path, ...problem }]);
}
