import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Roles } from '../roles/operations.ts';
import { faultsOf } from '../sessions/operations.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { withStatements } from '../support/statements.ts';
import { createAdministrator, createRoleRow, type Staff } from '../users/staff.ts';

let service: TestService;
let admin: Staff;

beforeAll(async () => {
  service = await startTestService();
  admin = await createAdministrator(service);
  for (let index = 0; index < 23; index += 1) {
    await createRoleRow(service, index % 2 ? ['USERS_READ'] : [], `${index % 2 ? 'Role' : 'role'}-${index + 10}`);
  }
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

async function page(variables: { offset?: number; limit?: number }) {
  const { data, errors } = await service.execute(Roles, variables, admin.as);
  expect(errors).toEqual([]);
  if (!data?.roles) throw new Error('no page');
  return data.roles;
}

describe('roles', () => {
  it('come by name, whatever its case, twenty at a time', async () => {
    const { items, ...rest } = await page({});
    const names = [
      'admin',
      ...Array.from({ length: 19 }, (_, index) => `${index % 2 ? 'Role' : 'role'}-${index + 10}`),
    ];
    expect(items.map(({ name }) => name)).toEqual(names);
    expect(rest).toEqual({ totalCount: 25, offset: 0, limit: 20, hasNextPage: true, hasPreviousPage: false });
  });

  it('come in pages that neither overlap nor leave out', async () => {
    const whole = (await page({ limit: 100 })).items;
    const pieces = [];
    for (let offset = 0; offset < whole.length; offset += 4) pieces.push(...(await page({ offset, limit: 4 })).items);
    expect(whole).toHaveLength(25);
    expect(pieces).toEqual(whole);
  });

  it('are read in one statement, and counted in another', async () => {
    const { statements } = await withStatements(() => page({ limit: 100 }));
    // And one for the viewer.
    expect(statements).toHaveLength(3);
  });
});
