import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { graphql } from '../gql/gql.ts';
import { createPerson } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';

const Login = graphql(`
  mutation OlderHashesLogin($input: LoginInput!) {
    login(input: $input) {
      __typename
    }
  }
`);

describe('login with a password that another system hashed', () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startTestService();
  });
  afterAll(() => service.close());

  async function createImported(passwordHash: string) {
    const { user } = await createPerson(service, { password: null });
    await service.app.db.user.update({ where: { id: user.id }, data: { passwordHash } });
    return user;
  }

  async function login(email: string, password: string) {
    const { data } = await service.execute(Login, { input: { email, password } });
    return data?.login?.__typename;
  }

  async function storedHash(id: string) {
    const { passwordHash } = await service.app.db.user.findUniqueOrThrow({ where: { id } });
    return passwordHash;
  }

  it.each([
    ['bcrypt', 'U*U*U*U*', '$2a$05$c92SVSfjeiCD6F2nAD6y0uBpJDjdRkt0EgeC4/31Rf2LUZbDRDE.O'],
    ['passlib', 'password', '$pbkdf2-sha256$1212$4vjV83LKPjQzk31VI4E0Vw$hsYF68OiOUPdDZ1Fg.fJPeq1h/gXXY7acBp9/6c.tmQ'],
    ['Django', 'not a password', 'pbkdf2_sha256$10000$kjVJaVz6qsnJ$5yPHw3rwJGECpUf70daLGhOrQ5+AMxIJdz1c3bqK1Rs='],
    [
      'Werkzeug',
      'l\u00e8tmein',
      'scrypt:1024:8:2$Kk3VtG4W$34b3635293cf863a078366842fa87071bf3026965f0e9e8aca21bd66e5c03951dac009870a53fb5c2f407c110d1a73a003cb1c5a8d1bbb346933d09a0b987be0',
    ],
  ])('lets in whoever knows it (%s), and hashes it anew', async (_, password, hash) => {
    const { id, email } = await createImported(hash);
    expect(await login(email, `${password}!`)).toBe('InvalidCredentialsError');
    expect(await storedHash(id)).toBe(hash);
    expect(await login(email, password)).toBe('AuthPayload');
    const replaced = await storedHash(id);
    expect(replaced).toMatch(/^\$argon2id\$v=19\$m=128,t=1,p=1\$/);
    expect(await login(email, password)).toBe('AuthPayload');
    expect(await storedHash(id)).toBe(replaced);
  });

  it.each([
    ['of no known form', 'sha1$seasalt$cff36ea83f5706ce9aa7454e63e431fc726b2dc8'],
    ['that would take hours', '$2b$31$WvvTPHKwdBJ3uk0Z37EMR.hLA2W6N9AEBhEgrAOljy2Ae5MtaSIUi'],
  ])('refuses a hash %s like a wrong password', async (_, hash) => {
    const { id, email } = await createImported(hash);
    expect(await login(email, 'letmein')).toBe('InvalidCredentialsError');
    expect(await storedHash(id)).toBe(hash);
  });

  it('lets in all of twenty at once, and keeps one of their new hashes', async () => {
    const { id, email } = await createImported('$2a$05$c92SVSfjeiCD6F2nAD6y0uBpJDjdRkt0EgeC4/31Rf2LUZbDRDE.O');
    const results = await Promise.all(Array.from({ length: 20 }, () => login(email, 'U*U*U*U*')));
    expect(results).toEqual(results.map(() => 'AuthPayload'));
    expect(await storedHash(id)).toMatch(/^\$argon2id\$/);
    expect(await login(email, 'U*U*U*U*')).toBe('AuthPayload');
  });
});
