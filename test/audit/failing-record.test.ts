import { v7 as newId } from 'uuid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChangePassword } from '../passwords/operations.ts';
import { NEW_PASSWORD, ResetPassword, resetTokenFor } from '../recovery/operations.ts';
import { Register, registrant, VerifyEmail } from '../registration/operations.ts';
import { Login, Logout, LogoutEverywhere } from '../sessions/operations.ts';
import { contents, whileUnwritable } from '../support/failing-table.ts';
import { createPerson, type Person, type SignedInPerson, signIn } from '../support/people.ts';
import { type Answer, startTestService, type TestService } from '../support/service.ts';
import { registeredToken } from '../verification/operations.ts';

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.close());

type SignedIn = Person & SignedInPerson;

interface Operation {
  readonly name: string;
  readonly field: string;
  readonly done: string;
  /** What is needed for it is there when this returns; then it can be asked for again and again. */
  readonly prepare: (person: SignedIn) => Promise<() => Promise<Answer<object>>>;
}

const operations: readonly Operation[] = [
  {
    name: 'login',
    field: 'login',
    done: 'AuthPayload',
    prepare: async ({ user: { email }, password }) => {
      return () => service.execute(Login, { input: { email, password } });
    },
  },
  {
    name: 'login with a wrong password',
    field: 'login',
    done: 'InvalidCredentialsError',
    prepare: async ({ user: { email } }) => {
      return () => service.execute(Login, { input: { email, password: 'not the password of anybody' } });
    },
  },
  {
    name: 'logout',
    field: 'logout',
    done: 'LogoutPayload',
    prepare: async ({ refreshToken }) => {
      return () => service.execute(Logout, { input: { refreshToken } });
    },
  },
  {
    name: 'logoutEverywhere',
    field: 'logoutEverywhere',
    done: 'LogoutPayload',
    prepare: async ({ accessToken }) => {
      return () => service.execute(LogoutEverywhere, {}, { accessToken });
    },
  },
  {
    name: 'changePassword',
    field: 'changePassword',
    done: 'ChangePasswordPayload',
    prepare: async ({ accessToken, password }) => {
      const input = { currentPassword: password, newPassword: NEW_PASSWORD };
      return () => service.execute(ChangePassword, { input }, { accessToken });
    },
  },
  {
    name: 'registerUser',
    field: 'registerUser',
    done: 'RegisterUserPayload',
    prepare: async () => {
      const input = registrant(`${newId()}@latchkey.test`);
      return () => service.execute(Register, { input });
    },
  },
  {
    name: 'verifyEmail, whose token stays good',
    field: 'verifyEmail',
    done: 'VerifyEmailPayload',
    prepare: async () => {
      const token = await registeredToken(service, `${newId()}@latchkey.test`);
      return () => service.execute(VerifyEmail, { token });
    },
  },
  {
    name: 'resetPassword, whose token stays good',
    field: 'resetPassword',
    done: 'ResetPasswordPayload',
    prepare: async ({ user: { email } }) => {
      const token = await resetTokenFor(service, email);
      return () => service.execute(ResetPassword, { token, password: NEW_PASSWORD });
    },
  },
];

describe('while nothing can be put on record', () => {
  it.each(operations)('nothing is done, and all of it afterwards: $name', async ({ field, done, prepare }) => {
    const person = await createPerson(service);
    const session = await signIn(service, { email: person.user.email, password: person.password });
    const ask = await prepare({ ...person, ...session });
    const before = await contents(service);
    const { data, errors } = await whileUnwritable(service, 'audit_events', ask);
    expect({ data, errors }).toEqual({
      data: { [field]: null },
      errors: [
        {
          message: 'The service failed to do this. It has been recorded.',
          path: [field],
          locations: [expect.anything()],
          extensions: { code: 'INTERNAL_SERVER_ERROR', requestId: expect.any(String) },
        },
      ],
    });
    expect(await contents(service)).toEqual(before);

    const recovered = await ask();
    expect({ errors: recovered.errors, data: recovered.data }).toEqual({
      errors: [],
      data: { [field]: expect.objectContaining({ __typename: done }) },
    });
    expect(await contents(service)).not.toEqual(before);
  });
});
