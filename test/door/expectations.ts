import { expect } from 'vitest';
import { administrator, type TestService, testEnvironment } from '../support/service.ts';
import { operation, type RawAnswer, sendRaw } from './raw-request.ts';

const INNARDS = [
  /\n\s+at /,
  /node_modules|node:internal|file:\/\//,
  /\.(?:ts|js|mjs):\d+/,
  /prisma|postgres|pglite/i,
  /\b(?:SELECT|INSERT INTO|UPDATE|DELETE FROM)\s/,
];

/** No stack, path, SQL or secret of ours is in it. */
export function expectNothingOfTheInside(text: string): void {
  for (const innards of INNARDS) expect(text).not.toMatch(innards);
  for (const secret of [process.cwd(), testEnvironment.SECRET_KEY, administrator.password]) {
    expect(text).not.toContain(secret);
  }
}

const CODES = ['UNAUTHENTICATED', 'FORBIDDEN', 'BAD_USER_INPUT', 'GRAPHQL_VALIDATION_FAILED'];

/** Refused with this status as GraphQL clients understand it, with a code of the API and nothing of the inside. */
export function expectRefusal(answer: RawAnswer, status: number, code = 'BAD_USER_INPUT'): void {
  expect(answer.status, answer.body).toBe(status);
  expect(answer.headers.get('content-type')).toMatch(/^application\/(?:graphql-response\+)?json/);
  const { errors } = JSON.parse(answer.body) as { errors: readonly { message: string; extensions: object }[] };
  expect(errors).not.toEqual([]);
  for (const { message, extensions } of errors) {
    expect(message).not.toBe('');
    expect(extensions).toEqual({ code });
  }
  expectNothingOfTheInside(answer.body);
}

export function errorOf({ body }: RawAnswer): unknown {
  const { errors } = JSON.parse(body) as { errors: readonly unknown[] };
  return errors[0];
}

/** Whatever the client sent, it is told that it was the client's fault, in a way that a program understands. */
export function expectCodedOrWellFormed(answer: RawAnswer): void {
  expect(answer.status, answer.body).toBeLessThan(500);
  const { data, errors = [] } = JSON.parse(answer.body) as {
    data?: unknown;
    errors?: readonly { extensions: { code: string } }[];
  };
  expect(data !== undefined || errors.length > 0).toBe(true);
  for (const { extensions } of errors) expect(CODES).toContain(extensions.code);
  expectNothingOfTheInside(answer.body);
}

export async function expectStillServing(service: TestService): Promise<void> {
  const { status, body } = await sendRaw(service.url, { body: operation('{ __typename }') });
  expect([status, body]).toEqual([200, '{"data":{"__typename":"Query"}}']);
}

/** Nothing of what the operations do has been done: every login, even a failed one, is on record. */
export async function expectNothingOnRecord({ app }: TestService): Promise<void> {
  expect(await app.db.auditEvent.findMany({ where: { type: { not: 'user.created' } } })).toEqual([]);
}
