import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Register, registrant } from '../registration/operations.ts';
import { Login, Logout } from '../sessions/operations.ts';
import { contents, whileUnwritable } from '../support/failing-table.ts';
import { createPerson, type SignedInPerson, signIn } from '../support/people.ts';
import type { Answer } from '../support/service.ts';
import { administrator, startTestService, type TestService } from '../support/service.ts';
import { mutations, type Scene, setScene } from '../users/every-operation.ts';

let service: TestService;
let admin: SignedInPerson;
let person: SignedInPerson;
let scene: Scene;

beforeAll(async () => {
  service = await startTestService();
  admin = await signIn(service, administrator);
});
beforeEach(async () => {
  scene = await setScene(service);
  const { user, password } = await createPerson(service);
  person = await signIn(service, { email: user.email, password });
  await signIn(service, { email: scene.target.user.email, password: scene.target.password });
});
afterAll(() => service.close());

const own: readonly { readonly field: string; readonly run: () => Promise<Answer<object>> }[] = [
  {
    field: 'login',
    run: () => service.execute(Login, { input: { email: scene.target.user.email, password: scene.target.password } }),
  },
  {
    field: 'login',
    run: () => service.execute(Login, { input: { email: scene.target.user.email, password: 'not the password' } }),
  },
  { field: 'logout', run: () => service.execute(Logout, { input: { refreshToken: person.refreshToken } }) },
  {
    field: 'registerUser',
    run: () => service.execute(Register, { input: registrant(`new.${scene.target.user.email}`) }),
  },
];
const administrative = mutations.map(({ field, run }) => ({
  field,
  run: () => run(service, scene, { accessToken: admin.accessToken }),
}));

describe('where the record cannot be written', () => {
  it.each([...own, ...administrative])(
    '$field does nothing at all, says so, and works when it is over',
    async ({ field, run }) => {
      const { id } = scene.target.user;
      if (field === 'activateUser') await service.app.db.user.update({ where: { id }, data: { status: 'PENDING' } });
      const before = await contents(service);
      const { data, errors } = await whileUnwritable(service, 'audit_events', run);
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

      const recovered = await run();
      expect({ errors: recovered.errors, data: recovered.data }).toEqual({
        errors: [],
        data: { [field]: expect.objectContaining({ __typename: expect.any(String) }) },
      });
      expect(await contents(service)).not.toEqual(before);
    },
  );
});
