const MAX_ROLE_NAME_LENGTH = 64;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it is about
const CONTROL_CHARACTER = /[\u0000-\u001f\u007f]/;

/**
 * The form of a role's name in which it must be unique and is looked up: white space at the ends removed, NFKC, lower
 * case. Null for what cannot be a role's name: empty, over 64 code points, or with control characters.
 */
export function roleNameKey(name: string): string | null {
  if (name.length > 2 * MAX_ROLE_NAME_LENGTH || CONTROL_CHARACTER.test(name) || !name.isWellFormed()) return null;
  const key = name.trim().normalize('NFKC').toLowerCase();
  return key === '' || [...key].length > MAX_ROLE_NAME_LENGTH ? null : key;
}
