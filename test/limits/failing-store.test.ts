import { v7 as newId } from 'uuid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RequestReset } from '../recovery/operations.ts';
import { Register, RequestVerification, registrant, VerifyEmail } from '../registration/operations.ts';
import { Login } from '../sessions/operations.ts';
import { contents, whileGone, whileUnwritable } from '../support/failing-table.ts';
import { createPerson, type Person } from '../support/people.ts';
import type { Answer } from '../support/service.ts';
import { startTestService, type TestService } from '../support/service.ts';

let service: TestService;
let person: Person;
beforeAll(async () => {
  service = await startTestService({ environment: { RATE_LIMITING: 'on' } });
  person = await createPerson(service);
});
afterAll(() => service.close());

interface Case {
  readonly field: string;
  readonly done: string;
  readonly ask: () => Promise<Answer<object>>;
}

const login: Case = {
  field: 'login',
  done: 'AuthPayload',
  ask: () => service.execute(Login, { input: { email: person.user.email, password: person.password } }),
};
const wrongLogin: Case = {
  field: 'login',
  done: 'InvalidCredentialsError',
  ask: () => service.execute(Login, { input: { email: person.user.email, password: 'not the password of anybody' } }),
};
const others: readonly Case[] = [
  {
    field: 'registerUser',
    done: 'RegisterUserPayload',
    ask: () => service.execute(Register, { input: registrant(`${newId()}@latchkey.test`) }),
  },
  {
    field: 'requestPasswordReset',
    done: 'AcceptedPayload',
    ask: () => service.execute(RequestReset, { email: person.user.email }),
  },
  {
    field: 'requestEmailVerification',
    done: 'AcceptedPayload',
    ask: () => service.execute(RequestVerification, { email: person.user.email }),
  },
  {
    field: 'verifyEmail',
    done: 'InvalidTokenError',
    ask: () => service.execute(VerifyEmail, { token: 'a guess' }),
  },
];

describe('where the limits cannot be counted', () => {
  const ways = [
    { how: 'the table is gone', during: whileGone, cases: [login, wrongLogin, ...others] },
    // A right password counts nothing, and takes nothing but a look at what others have counted.
    { how: 'nothing can be written', during: whileUnwritable, cases: [wrongLogin, ...others] },
  ];
  it.each(ways.flatMap(({ cases, ...way }) => cases.map((each) => ({ ...way, ...each }))))(
    'nobody gets in, and it is as good as before when it is over: $field, $how',
    async ({ during, field, done, ask }) => {
      const before = await contents(service, 'rate_limits');
      const { data, errors } = await during(service, 'rate_limits', ask);
      expect({ data, errors }).toEqual({ data: { [field]: null }, errors: [fault(field)] });
      expect(await contents(service, 'rate_limits')).toEqual(before);

      const recovered = await ask();
      expect({ data: recovered.data, errors: recovered.errors }).toEqual({
        data: { [field]: expect.objectContaining({ __typename: done }) },
        errors: [],
      });
    },
  );

  it('whoever is signed in notices nothing', async () => {
    const input = { email: person.user.email, password: person.password };
    const { data } = await service.execute(Login, { input });
    const accessToken = data?.login?.__typename === 'AuthPayload' ? data.login.accessToken : null;
    expect(accessToken).not.toBeNull();
    const answer = await whileGone(service, 'rate_limits', () => fetchMe(accessToken));
    expect(answer).toEqual({ data: { me: { email: person.user.email } } });
  });
});

async function fetchMe(accessToken: string | null): Promise<unknown> {
  const response = await fetch(`${service.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${accessToken}` },
    body: JSON.stringify({ query: '{ me { email } }' }),
  });
  return response.json();
}

function fault(field: string) {
  return {
    message: 'The service failed to do this. It has been recorded.',
    path: [field],
    locations: [expect.anything()],
    extensions: { code: 'INTERNAL_SERVER_ERROR', requestId: expect.any(String) },
  };
}
