import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { passwordMatches } from '../../src/auth/passwords.ts';
import { hashPassword, needsRehash } from '../../src/crypto/password-hash.ts';
import { startTestService, type TestService } from '../support/service.ts';

const PASSWORD = 'seventeen little goats';

let service: TestService;
let hash: string;

beforeAll(async () => {
  service = await startTestService();
  hash = await hashPassword(service.app.config.argon2, PASSWORD);
});
afterAll(() => service.close());

/** The app with a decoy whose password is known, and how often the decoy was taken. */
function withKnownDecoy() {
  const taken = { times: 0 };
  const app = Object.defineProperty({ ...service.app }, 'decoyHash', {
    get() {
      taken.times += 1;
      return hash;
    },
  });
  return { app, taken };
}

const unlimited = { counted: [], refusing: [] };

describe('passwordMatches', () => {
  it('is true for the password that was hashed, and false for another', async () => {
    const { app, taken } = withKnownDecoy();
    expect(await passwordMatches(app, hash, PASSWORD, unlimited)).toBe(true);
    expect(await passwordMatches(app, hash, 'eighteen little goats', unlimited)).toBe(false);
    expect(taken.times).toBe(0);
  });

  it('verifies a decoy where there is no hash, and is false whatever comes of it', async () => {
    const { app, taken } = withKnownDecoy();
    expect(await passwordMatches(app, null, PASSWORD, unlimited)).toBe(false);
    expect(taken.times).toBe(1);
  });

  it('has a decoy that takes the work of a hash that is made today', () => {
    const { config, decoyHash } = service.app;
    expect(needsRehash(config.argon2, decoyHash)).toBe(false);
  });
});
