import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from '../../src/audit/service.ts';
import { findByPassword } from '../../src/auth/passwords.ts';
import { hashPassword, needsRehash } from '../../src/crypto/password-hash.ts';
import { createPerson, type Person } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { withStatements } from '../support/statements.ts';

const DECOYED = 'seventeen little goats';
const NOT_IT = 'eighteen little goats';
const client: Client = { ipAddress: '198.51.100.7', userAgent: null, requestId: null };

let service: TestService;
let decoyHash: string;
let person: Person;

beforeAll(async () => {
  service = await startTestService();
  decoyHash = await hashPassword(service.app.config.argon2, DECOYED);
  person = await createPerson(service);
});
afterAll(() => service.close());

/** The app with a decoy whose password is known, and how often the decoy was taken. */
function withKnownDecoy() {
  const taken = { times: 0 };
  const app = Object.defineProperty({ ...service.app }, 'decoyHash', {
    get() {
      taken.times += 1;
      return decoyHash;
    },
  });
  return { app, taken };
}

describe('findByPassword', () => {
  it('finds whoever has address and password, and nobody by another password', async () => {
    const { app, taken } = withKnownDecoy();
    const { email, id } = person.user;
    const { password } = person;
    const user = await service.app.db.user.findUniqueOrThrow({ where: { id } });
    expect(await findByPassword(app, { email, password, client })).toEqual(user);
    expect(await findByPassword(app, { email, password: NOT_IT, client })).toBeNull();
    expect(taken.times).toBe(0);
  });

  it('finds the user who is meant, whatever their address has become', async () => {
    const { id } = person.user;
    const attempt = { email: 'what.it.was@latchkey.test', userId: id, password: person.password, client };
    expect(await findByPassword(service.app, attempt)).toMatchObject({ id });
    expect(await findByPassword(service.app, { ...attempt, password: NOT_IT })).toBeNull();
  });

  it('verifies a decoy where there is no user, and finds nobody whatever comes of it', async () => {
    const { app, taken } = withKnownDecoy();
    expect(await findByPassword(app, { email: 'nobody@latchkey.test', password: DECOYED, client })).toBeNull();
    expect(taken.times).toBe(1);
  });

  it('verifies a decoy for a user without a password, and does not find them', async () => {
    const { app, taken } = withKnownDecoy();
    const { user } = await createPerson(service);
    await service.app.db.user.update({ where: { id: user.id }, data: { passwordHash: null } });
    expect(await findByPassword(app, { email: user.email, password: DECOYED, client })).toBeNull();
    expect(taken.times).toBe(1);
  });

  it('makes one statement when the password is right', async () => {
    const { email } = person.user;
    const { statements } = await withStatements(() =>
      findByPassword(service.app, { email, password: person.password, client }),
    );
    expect(statements).toHaveLength(1);
  });

  it('has a decoy that takes the work of a hash that is made today', () => {
    const { config, decoyHash: decoy } = service.app;
    expect(needsRehash(config.argon2, decoy)).toBe(false);
  });
});
