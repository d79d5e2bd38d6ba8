import { MAX_PASSWORD_CODE_POINTS } from '../crypto/password-hash.ts';
import { commonPasswords } from './common-passwords.ts';
import { folded, isGuessable, isRepetition, withoutDoublings } from './guessing.ts';

/** Whose password it shall be: nothing that everybody knows about them makes a secret. */
export interface PasswordOwner {
  /** Canonical. */
  readonly email: string;
  readonly firstName: string;
  readonly lastName: string;
}

export interface PasswordProblem {
  readonly code:
    | 'TOO_SHORT'
    | 'TOO_LONG'
    | 'INVALID_CHARACTERS'
    | 'TOO_COMMON'
    | 'CONTAINS_PERSONAL_DATA'
    | 'REPEATED_PATTERN';
  readonly message: string;
}

const SERVICE_NAME = 'latchkey';
const LEAST_EFFORT = 6;
const LEAST_DIFFERENT_CHARACTERS = 5;
const LEAST_GIVEN_AWAY_LENGTH = 3;

/** What keeps the password from becoming this person's, at a service on this host; null for nothing. */
export function passwordProblem(
  password: string,
  about: PasswordOwner,
  { minLength, hostName }: { readonly minLength: number; readonly hostName: string },
): PasswordProblem | null {
  return (
    problemOfLength(password, minLength) ?? problemOfChoice(folded(password), minLength, givenAway(about, hostName))
  );
}

function problemOfLength(password: string, minLength: number): PasswordProblem | null {
  const tooLong: PasswordProblem = { code: 'TOO_LONG', message: `At most ${MAX_PASSWORD_CODE_POINTS} characters.` };
  // Bounded before it is normalised, which shortens a text to a quarter at most; a code point takes two units at most.
  if (password.length > MAX_PASSWORD_CODE_POINTS * 4 * 2) return tooLong;
  if (!password.isWellFormed()) return { code: 'INVALID_CHARACTERS', message: 'This holds half a character.' };
  const { length } = [...password.normalize('NFC')];
  if (length > MAX_PASSWORD_CODE_POINTS) return tooLong;
  if (length < minLength) return { code: 'TOO_SHORT', message: `At least ${minLength} characters.` };
  return null;
}

function problemOfChoice(text: string, minLength: number, known: readonly string[]): PasswordProblem | null {
  if (isRepetition(text) || new Set(text).size < LEAST_DIFFERENT_CHARACTERS) {
    return { code: 'REPEATED_PATTERN', message: 'This only repeats itself.' };
  }
  const { blocked, words } = commonPasswords(minLength);
  const single = withoutDoublings(text);
  // `112233445566778899` is as easy as `123456789`.
  const undoubled = 2 * single.length <= text.length ? single : text;
  const isEasy = (givenAway: readonly string[]) => isGuessable(undoubled, { words, givenAway }, LEAST_EFFORT);
  if (blocked.has(text) || isEasy([])) {
    return { code: 'TOO_COMMON', message: 'This is among the first passwords that anybody would try.' };
  }
  if (isEasy(known)) {
    const message = 'This is made of the name, the address or the name of this service.';
    return { code: 'CONTAINS_PERSONAL_DATA', message };
  }
  return null;
}

/** Whole and in parts, since both are tried. */
function givenAway({ email, firstName, lastName }: PasswordOwner, hostName: string): readonly string[] {
  const names = [firstName, lastName, `${firstName}${lastName}`, `${lastName}${firstName}`];
  const whole = [email, email.slice(0, email.indexOf('@')), ...names, SERVICE_NAME, hostName];
  const parts = whole.flatMap((text) => text.split(/[^\p{L}\p{N}]+/u));
  return [...new Set([...whole, ...parts].map(folded))].filter((text) => text.length >= LEAST_GIVEN_AWAY_LENGTH);
}
