import { type PasswordProblem, passwordProblem } from '../passwords/acceptable.ts';

/** What the first administrator's password must be and is not; null when it is acceptable. */
export function passwordRequirement(...parameters: Parameters<typeof passwordProblem>): string | null {
  const problem = passwordProblem(...parameters);
  return problem === null ? null : requirements[problem.code];
}

const requirements: Readonly<Record<PasswordProblem['code'], string>> = {
  TOO_SHORT: 'must be longer',
  TOO_LONG: 'must be shorter',
  INVALID_CHARACTERS: 'must be proper text',
  TOO_COMMON: 'must not be among the first passwords that anybody would try',
  CONTAINS_PERSONAL_DATA: 'must not be made of ADMIN_EMAIL, the names First Administrator, or the name of this service',
  REPEATED_PATTERN: 'must not only repeat itself',
};
