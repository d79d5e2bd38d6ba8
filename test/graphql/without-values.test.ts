import { buildSchema, GraphQLError, graphqlSync } from 'graphql';
import { describe, expect, it } from 'vitest';
import { withoutValues } from '../../src/graphql/without-values.ts';

const schema = buildSchema(`
  enum Transport { BODY COOKIE }
  input Inner { numbers: [Int!] }
  input Input { email: String!, password: String!, transport: Transport, inner: Inner, id: ID }
  type Query { login(input: Input!): Boolean }
`);

const SECRET = 'tulip; "value: "9';

/** What graphql-js says, and what is left of it. */
function refusalOf(source: string, variableValues: Record<string, unknown> = {}): string {
  const { errors: [error] = [] } = graphqlSync({ schema, source, variableValues });
  expect(error?.message).toContain('tulip');
  const message = withoutValues(error?.message ?? '');
  expect(message).not.toContain('tulip');
  return message;
}

describe('withoutValues', () => {
  const refusalOfVariable = (input: unknown) => refusalOf('query ($input: Input!) { login(input: $input) }', { input });

  it('says which variable is invalid where, and why if that can be said without the value', () => {
    const password = SECRET;
    const email = 'ada@latchkey.test';
    expect([
      refusalOfVariable({ password }),
      refusalOfVariable({ email, password, passwort: password }),
      refusalOfVariable({ email, password: [password] }),
      refusalOfVariable({ email, password, transport: password }),
      refusalOfVariable({ email, password, transport: { password } }),
      refusalOfVariable({ email, password, id: { password } }),
      refusalOfVariable({ email, password, inner: password }),
      refusalOfVariable({ email, password, inner: { numbers: [1, password] } }),
      refusalOfVariable(password),
    ]).toEqual([
      'Variable "$input" got an invalid value; Field "email" of required type "String!" was not provided.',
      'Variable "$input" got an invalid value; Field "passwort" is not defined by type "Input". Did you mean "password" or "transport"?',
      'Variable "$input" got an invalid value at "input.password".',
      'Variable "$input" got an invalid value at "input.transport".',
      'Variable "$input" got an invalid value at "input.transport".',
      'Variable "$input" got an invalid value at "input.id".',
      'Variable "$input" got an invalid value at "input.inner"; Expected type "Inner" to be an object.',
      'Variable "$input" got an invalid value at "input.inner.numbers[1]".',
      'Variable "$input" got an invalid value; Expected type "Input" to be an object.',
    ]);
  });

  it('says what is wrong with a document, but quotes nothing of it', () => {
    const login = (input: string) => refusalOf(`{ login(input: ${input}) }`);
    const email = 'email: "ada@latchkey.test"';
    expect([
      login(`{ ${email}, password: tulip }`),
      login(`{ ${email}, password: ["tulip; \\"value: \\""] }`),
      login(`{ ${email}, password: "", transport: "tulip" }`),
      login(`{ ${email}, password: "", transport: tulip }`),
      login(`{ ${email}, password: "", id: { tulip: 1 } }`),
      login(`{ ${email}, password: "", inner: { numbers: "tulip" } }`),
      login('"tulip: value: \\"?"'),
      login(`{ ${email}, password: "" "tulip" : }`),
      login(`{ ${email}, password "tulip" }`),
      refusalOf('tulip { login }'),
    ]).toEqual([
      'String cannot represent a non string value',
      'String cannot represent a non string value',
      'Enum "Transport" cannot represent non-enum value',
      'There is no such value in "Transport" enum.',
      'ID cannot represent a non-string and non-integer value',
      'Int cannot represent non-integer value',
      'Expected value of type "Input!".',
      'Syntax Error: Expected Name, found String.',
      'Syntax Error: Expected ":", found String.',
      'Syntax Error: Unexpected Name.',
    ]);
  });

  it('leaves every other message as it is', () => {
    for (const { message } of [
      ...(graphqlSync({ schema, source: '{ logon }' }).errors ?? []),
      ...(graphqlSync({ schema, source: 'query ($input: Input!) { login(input: $input) }' }).errors ?? []),
      new GraphQLError('You are not permitted to do this.'),
    ]) {
      expect(withoutValues(message)).toBe(message);
    }
  });
});
