import { type PasswordProblem, passwordProblem } from '../passwords/acceptable.ts';

/** What the first administrator is called until somebody says otherwise. */
export const FIRST_ADMINISTRATOR_NAME = { firstName: 'First', lastName: 'Administrator' };

interface Surroundings {
  readonly email: string;
  /** In code points. */
  readonly minLength: number;
  readonly publicUrl: string | null;
}

/** What ADMIN_PASSWORD must be and is not; null for a good one. */
export function administratorPasswordRequirement(
  password: string,
  { email, minLength, publicUrl }: Surroundings,
): string | null {
  const problem = passwordProblem(
    password,
    { email, ...FIRST_ADMINISTRATOR_NAME },
    { minLength, hostName: new URL(publicUrl ?? 'http://localhost').hostname },
  );
  return problem && requirements[problem.code];
}

const requirements: Readonly<Record<PasswordProblem['code'], string>> = {
  TOO_SHORT: 'must be longer',
  TOO_LONG: 'must be shorter',
  INVALID_CHARACTERS: 'must be proper text',
  TOO_COMMON: 'must not be among the first passwords that anybody would try',
  CONTAINS_PERSONAL_DATA: 'must not be made of ADMIN_EMAIL, the names First Administrator, or the name of this service',
  REPEATED_PATTERN: 'must not only repeat itself',
};
