import { nameField } from '../fields/input.ts';
import type { IdToken } from '../providers/id-token.ts';

export interface Names {
  readonly firstName: string;
  readonly lastName: string;
}

/** For who has one name only, which the field of the last name must not be without. */
const NO_NAME = '-';

/**
 * Names that pass the rules of every other name: the provider's given and family name, else its full name in two, else
 * what stands before the @. A provider lets people write what they like.
 */
export function namesOf(token: Pick<IdToken, 'givenName' | 'familyName' | 'name'>, email: string): Names {
  const [firstWord, ...otherWords] = acceptable(token.name)?.split(/\s+/) ?? [];
  return {
    firstName: acceptable(token.givenName) ?? acceptable(firstWord) ?? email.slice(0, email.lastIndexOf('@')),
    lastName: acceptable(token.familyName) ?? acceptable(otherWords.join(' ')) ?? NO_NAME,
  };
}

function acceptable(name: unknown): string | null {
  const result = nameField.safeParse(name);
  return result.success ? result.data : null;
}
