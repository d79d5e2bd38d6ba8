import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPerson, type SignedInPerson, signIn } from '../support/people.ts';
import { administrator, startTestService, type TestService } from '../support/service.ts';
import { expectNothingOfTheInside, expectStillServing } from './expectations.ts';
import { operation, sendRaw } from './raw-request.ts';

const MASKED = 'The service failed to do this. It has been recorded.';

const logIn = 'login(input: { email: "ada@latchkey.test", password: "the lovelace of this service" }) { __typename }';

describe('a fault of ours', () => {
  let service: TestService;
  let person: SignedInPerson;

  beforeAll(async () => {
    service = await startTestService();
    const { user, password } = await createPerson(service);
    person = await signIn(service, { email: user.email, password });
  });

  afterAll(() => service.close());

  /** With the table gone, which is a fault that no code of ours expects. */
  async function without<T>(table: string, act: () => Promise<T>): Promise<T> {
    await service.app.db.$executeRawUnsafe(`ALTER TABLE ${table} RENAME TO ${table}_gone`);
    try {
      return await act();
    } finally {
      await service.app.db.$executeRawUnsafe(`ALTER TABLE ${table}_gone RENAME TO ${table}`);
    }
  }

  it.each([
    ['in a query', 'sessions', 'query', 'me', 'me { id }'],
    ['in a query that is public', 'users', 'query', 'viewer', 'viewer { id }'],
    ['in a mutation', 'users', 'mutation', 'login', logIn],
    ['in a transaction', 'audit_events', 'mutation', 'login', logIn],
    ['in the list of somebody’s roles', 'user_roles', 'query', 'me', 'me { id }'],
  ])('%s is masked, and the log has the cause under the id of the request', async (_, table, kind, field, selected) => {
    const requestId = `fault-${table}-${field}`;
    const answer = await without(table, () =>
      sendRaw(service.url, {
        headers: { authorization: `Bearer ${person.accessToken}`, 'x-request-id': requestId },
        body: operation(`${kind} { ${selected} sibling: __typename }`),
      }),
    );
    expect([answer.status, answer.headers.get('x-request-id')]).toEqual([200, requestId]);
    expect(JSON.parse(answer.body)).toEqual({
      data: { [field]: null, sibling: kind === 'query' ? 'Query' : 'Mutation' },
      errors: [
        {
          message: MASKED,
          path: [field],
          locations: [expect.anything()],
          extensions: { code: 'INTERNAL_SERVER_ERROR', requestId },
        },
      ],
    });
    expectNothingOfTheInside(answer.body);
    const recorded = service.log.map((line) => JSON.parse(line)).filter((line) => line.requestId === requestId);
    expect(recorded).toMatchObject([{ level: 50, msg: 'unexpected error', path: field }]);
    expect(JSON.stringify(recorded)).toContain(table);
    expect(JSON.stringify(recorded)).not.toContain(administrator.password);
    await expectStillServing(service);
  });

  it('in a reference of a gateway is masked like any other', async () => {
    const { accessToken } = await signIn(service, administrator);
    const query = '{ _entities(representations: [{ __typename: "Role", name: "admin" }]) { __typename } }';
    const headers = { authorization: `Bearer ${accessToken}` };
    // Not the whole table, nor a column: the look-up of the viewer reads them as well, but compares none with a text.
    const { db } = service.app;
    await db.$executeRaw`ALTER TABLE roles ALTER COLUMN name_key TYPE uuid USING id`;
    const { body: text } = await sendRaw(service.url, { headers, body: operation(query) }).finally(
      () => db.$executeRaw`ALTER TABLE roles ALTER COLUMN name_key TYPE text USING lower(name)`,
    );
    expect(JSON.parse(text)).toMatchObject({
      data: { _entities: [null] },
      errors: [{ message: MASKED, path: ['_entities', 0], extensions: { code: 'INTERNAL_SERVER_ERROR' } }],
    });
    expectNothingOfTheInside(text);
  });
});

describe('a database that is gone', () => {
  it('is no end of the service: it says what it can, and that it is not ready', async () => {
    const service = await startTestService();
    const { user, password } = await createPerson(service);
    const { accessToken } = await signIn(service, { email: user.email, password });
    await service.app.database.close();
    try {
      const headers = { authorization: `Bearer ${accessToken}` };
      const answer = await sendRaw(service.url, { headers, body: operation('{ viewer { id } __typename }') });
      expect(JSON.parse(answer.body)).toMatchObject({
        data: { viewer: null, __typename: 'Query' },
        errors: [{ message: MASKED, extensions: { code: 'INTERNAL_SERVER_ERROR' } }],
      });
      expectNothingOfTheInside(answer.body);
      await expectStillServing(service);
      const get = (target: string) => sendRaw(service.url, { method: 'GET', target });
      const ready = await get('/readyz');
      expect([ready.status, JSON.parse(ready.body)]).toEqual([503, { status: 'the database does not answer' }]);
      expect((await get('/healthz')).status).toBe(200);
      expect((await get('/.well-known/jwks.json')).status).toBe(200);
    } finally {
      await service.close();
    }
  });
});
