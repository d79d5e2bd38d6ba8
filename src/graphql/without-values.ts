const LONGEST_MESSAGE = 1000;
const OF_A_VARIABLE = /^(Variable "\$\w+" got) invalid value /;
const PLACE = /^.*( at "[\w.[\]]+"); /s;
const HARMLESS_REASON =
  /(?:Field "\w+" of required type "[^"]+" was not provided\.|Field "\w+" is not defined by type "\w+"\.(?: Did you mean [^?]*\?)?|Expected non-nullable type "[^"]+" not to be null\.|Expected type "[^"]+" to be an object\.)$/;

const VALUES_IN_DOCUMENTS: readonly (readonly [RegExp, string])[] = [
  [/^(Syntax Error: .*?\b(?:found|Unexpected) \w+) ".*"\.$/s, '$1.'],
  [/^(Expected value of type "[^"]+"), found .*$/s, '$1.'],
  [/^(.+? cannot represent [^:"]*value): .*?(\.? Did you mean [^?]*\?)?$/s, '$1$2'],
  [/^Value ".*" does not exist in ("\w+" enum\.)/s, 'There is no such value in $1'],
];

/**
 * What graphql-js says of an operation that it refuses, without the values that were in it. They may be a password that a
 * front end has put in the wrong place, and messages of errors go on from there, to consoles and collectors of errors.
 */
export function withoutValues(message: string): string {
  // Longer than anything that names and no values make, and too long for patterns that look for their end.
  if (message.length > LONGEST_MESSAGE) return 'The operation or a value in it is not valid.';
  const [, subject] = OF_A_VARIABLE.exec(message) ?? [];
  if (subject === undefined) {
    return VALUES_IN_DOCUMENTS.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), message);
  }
  const [, place = ''] = PLACE.exec(message) ?? [];
  const [reason] = HARMLESS_REASON.exec(message) ?? [];
  return `${subject} an invalid value${place}${reason === undefined ? '.' : `; ${reason}`}`;
}
