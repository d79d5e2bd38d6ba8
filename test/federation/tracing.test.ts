import { Trace } from '@apollo/usage-reporting-protobuf';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { signIn } from '../support/people.ts';
import { administrator, startTestService, type TestService } from '../support/service.ts';

let service: TestService;

beforeAll(async () => {
  service = await startTestService({ environment: { FEDERATED_TRACING: 'on' } });
});

afterAll(() => service.close());

async function ask(url: string, query: string, headers: Readonly<Record<string, string>> = {}) {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query }),
  });
  return response.json();
}

const TRACED = { 'apollo-federation-include-trace': 'ftv1' };

function traceIn({ extensions }: { extensions: { ftv1: string } }): Trace {
  return Trace.decode(Buffer.from(extensions.ftv1, 'base64'));
}

describe('federated tracing', () => {
  it('tells a gateway that asks for it how long each field took', async () => {
    const { accessToken } = await signIn(service, administrator);
    const answer = await ask(service.url, '{ me { email } }', { ...TRACED, authorization: `Bearer ${accessToken}` });
    expect(answer.data).toEqual({ me: { email: administrator.email } });
    const [me] = traceIn(answer).root?.child ?? [];
    expect([me?.responseName, me?.type, me?.child?.map(({ responseName }) => responseName)]).toEqual([
      'me',
      'User',
      ['email'],
    ]);
    expect(Number(me?.endTime)).toBeGreaterThan(Number(me?.startTime));
  });

  it('is silent when nobody asks, and when it is off', async () => {
    expect(await ask(service.url, '{ viewer { id } }')).toEqual({ data: { viewer: null } });
    const off = await startTestService();
    expect(await ask(off.url, '{ viewer { id } }', TRACED)).toEqual({ data: { viewer: null } });
    await off.close();
  });

  it('says of refusals and of faults no more than the answer does', async () => {
    const refused = await ask(service.url, '{ me { id } }', TRACED);
    expect(errorsIn(refused)).toEqual(['UNAUTHENTICATED']);

    const { accessToken } = await signIn(service, administrator);
    const fault = () => Promise.reject(new Error('a secret'));
    const query = vi.spyOn(service.app.database.pool, 'query').mockImplementation(fault);
    const failed = await ask(service.url, `{ isAuthorized(accessToken: "${accessToken}") }`, TRACED);
    query.mockRestore();
    expect(failed.errors).toMatchObject([{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }]);
    expect(errorsIn(failed)).toEqual(['INTERNAL_SERVER_ERROR']);
    expect(JSON.stringify(traceIn(failed))).not.toContain('a secret');
  });
});

/** Of the first field. */
function errorsIn(answer: { readonly extensions: { readonly ftv1: string } }): readonly unknown[] {
  const errors = traceIn(answer).root?.child?.[0]?.error ?? [];
  return errors.map(({ message }) => message);
}
