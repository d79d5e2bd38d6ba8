import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { mailsTo } from '../mailbox/reading.ts';
import { accepted, invalidToken, logIn } from '../registration/operations.ts';
import { faultsOf } from '../sessions/operations.ts';
import { fillHashGate } from '../support/hash-gate.ts';
import { createPerson } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { forgetful, NEW_PASSWORD, passwordReset, preview, requestReset, resetPassword } from './operations.ts';

const MOST_AN_HOUR = 20;
const HOUR_SECONDS = 3600;
const FAILED_SIGN_INS = 20;

const environment = { RATE_LIMITING: 'on', TRUST_PROXY: '1' };
let service: TestService;

beforeAll(async () => {
  service = await startTestService({ environment });
});
// The windows of the limits are in the time of the system, which nobody but the test moves.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
});
afterEach(() => {
  vi.useRealTimers();
  expect(faultsOf(service)).toEqual([]);
});
afterAll(() => service.close());

let clients = 0;

/** Where nobody else in this file comes from. */
function newClient() {
  clients += 1;
  return { headers: { 'x-forwarded-for': `198.18.${clients >> 8}.${clients & 255}` } };
}

function rateLimited(retryAfterSeconds: number) {
  return {
    __typename: 'RateLimitedError',
    code: 'RATE_LIMITED',
    message: 'Too many attempts. Try again later.',
    retryAfterSeconds,
  };
}

type Client = ReturnType<typeof newClient>;

async function exhaustRequests(from: Client): Promise<void> {
  for (let index = 0; index < MOST_AN_HOUR; index += 1) {
    expect(await requestReset(service, `nobody-${index}@latchkey.test`, from)).toEqual(accepted);
  }
}

async function exhaustTokens(from: Client): Promise<void> {
  for (let index = 0; index < MOST_AN_HOUR; index += 1) {
    expect(await resetPassword(service, `guess-${index}`, NEW_PASSWORD, from)).toEqual(invalidToken('NOT_FOUND'));
  }
}

describe('the limit of requests for a new password', () => {
  it('refuses a client after 20 an hour, for every address alike, and nobody else', async () => {
    const { user } = await createPerson(service);
    const from = newClient();
    await exhaustRequests(from);
    for (const email of [user.email, 'nobody@latchkey.test', 'no address', '']) {
      expect(await requestReset(service, email, from)).toEqual(rateLimited(HOUR_SECONDS));
    }
    expect(await mailsTo(service, user.email)).toEqual([]);
    expect(await requestReset(service, user.email, newClient())).toEqual(accepted);
    expect(await mailsTo(service, user.email)).toHaveLength(1);
  });

  it('counts what is no address like everything else', async () => {
    const from = newClient();
    for (let index = 0; index < MOST_AN_HOUR; index += 1) await requestReset(service, 'no address', from);
    expect(await requestReset(service, 'nobody@latchkey.test', from)).toEqual(rateLimited(HOUR_SECONDS));
  });

  it('is over when the time it named has passed, and not a second before', async () => {
    const from = newClient();
    await exhaustRequests(from);
    vi.advanceTimersByTime((HOUR_SECONDS - 1) * 1000);
    expect(await requestReset(service, 'nobody@latchkey.test', from)).toEqual(rateLimited(1));
    vi.advanceTimersByTime(1000);
    expect(await requestReset(service, 'nobody@latchkey.test', from)).toEqual(accepted);
  });

  it('lets no more than 20 of parallel requests from one client pass', async () => {
    const from = newClient();
    const answers = await Promise.all(
      Array.from({ length: 3 * MOST_AN_HOUR }, () => requestReset(service, 'nobody@latchkey.test', from)),
    );
    expect(answers.filter((answer) => answer?.__typename === 'AcceptedPayload')).toHaveLength(MOST_AN_HOUR);
  });

  it('is one for all instances', async () => {
    const other = await startTestService({ database: service, environment });
    try {
      const from = newClient();
      await exhaustRequests(from);
      expect(await requestReset(other, 'nobody@latchkey.test', from)).toEqual(rateLimited(HOUR_SECONDS));
    } finally {
      await other.close();
    }
  });
});

describe('the limit of wrong tokens', () => {
  it('refuses a client after 20 an hour, with a right one too, and nobody else', async () => {
    const { user, token } = await forgetful(service);
    const from = newClient();
    await exhaustTokens(from);
    expect(await resetPassword(service, 'one more guess', NEW_PASSWORD, from)).toEqual(rateLimited(HOUR_SECONDS));
    expect(await resetPassword(service, token, NEW_PASSWORD, from)).toEqual(rateLimited(HOUR_SECONDS));
    expect(await resetPassword(service, token, NEW_PASSWORD, newClient())).toEqual(passwordReset(user.email));
  });

  it('answers no more than 20 of parallel guesses from one client', async () => {
    const from = newClient();
    const answers = await Promise.all(
      Array.from({ length: 3 * MOST_AN_HOUR }, (_, index) => resetPassword(service, `${index}`, NEW_PASSWORD, from)),
    );
    expect(answers.filter((answer) => answer?.__typename === 'InvalidTokenError')).toHaveLength(MOST_AN_HOUR);
  });

  it('counts neither dead links nor refused passwords', async () => {
    const { user, token } = await forgetful(service);
    const from = newClient();
    for (let index = 0; index <= MOST_AN_HOUR; index += 1) {
      expect(await resetPassword(service, token, 'short', from)).toMatchObject({ code: 'VALIDATION_FAILED' });
    }
    expect(await resetPassword(service, token, NEW_PASSWORD, from)).toEqual(passwordReset(user.email));
    for (let index = 0; index <= MOST_AN_HOUR; index += 1) {
      expect(await resetPassword(service, token, NEW_PASSWORD, from)).toEqual(invalidToken('ALREADY_USED'));
    }
  });

  it('does not stand in the way of pages that show whose link it is', async () => {
    const { token } = await forgetful(service);
    for (let index = 0; index <= MOST_AN_HOUR; index += 1) expect(await preview(service, 'no token')).toBeNull();
    expect(await preview(service, token)).not.toBeNull();
  });
});

describe('a reset', () => {
  async function shutOut(email: string): Promise<void> {
    for (let failure = 0; failure < FAILED_SIGN_INS; failure += 1) {
      await service.app.loginThrottle.countFailure([`account:${email}`]);
    }
    expect(await logIn(service, email, 'whatever it may be')).toMatchObject({ code: 'RATE_LIMITED' });
  }

  it('lets the owner sign in at once, whom somebody has shut out by guessing', async () => {
    const { user, token } = await forgetful(service);
    const other = await createPerson(service);
    for (const email of [user.email, other.user.email]) await shutOut(email);
    await resetPassword(service, token, NEW_PASSWORD, newClient());
    expect(await logIn(service, user.email, NEW_PASSWORD)).toMatchObject({ user: { id: user.id } });
    expect(await logIn(service, other.user.email, other.password)).toMatchObject({ code: 'RATE_LIMITED' });
  });

  it('is made even when the failures cannot be forgotten, which is logged', async () => {
    const other = await startTestService({ database: service, environment });
    const { pool } = other.app.database;
    try {
      const { user, token } = await forgetful(service);
      await shutOut(user.email);
      await pool.query(`
        CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'kept'; END $$;
        CREATE TRIGGER keep BEFORE DELETE ON rate_limits FOR EACH ROW EXECUTE FUNCTION keep()`);
      expect(await resetPassword(other, token, NEW_PASSWORD, newClient())).toEqual(passwordReset(user.email));
      expect(faultsOf(other)).toEqual([
        expect.objectContaining({ msg: 'failed sign-ins could not be forgotten after a password reset' }),
      ]);
    } finally {
      await pool.query('DROP FUNCTION keep CASCADE');
      await other.close();
    }
  });

  it('that is refused lets nobody in', async () => {
    const { user, token } = await forgetful(service);
    await shutOut(user.email);
    await resetPassword(service, token, 'short', newClient());
    await resetPassword(service, `${token}x`, NEW_PASSWORD, newClient());
    expect(await logIn(service, user.email, 'whatever it may be')).toMatchObject({ code: 'RATE_LIMITED' });
  });

  it('is refused at once when too many hashes wait, and uses nothing up', async () => {
    const { user, token } = await forgetful(service);
    const release = fillHashGate(service.app);
    try {
      expect(await resetPassword(service, token, NEW_PASSWORD, newClient())).toEqual(rateLimited(1));
    } finally {
      await release();
    }
    expect(await resetPassword(service, token, NEW_PASSWORD, newClient())).toEqual(passwordReset(user.email));
  });

  it('with a dead link costs no hash', async () => {
    const { user, token } = await forgetful(service);
    await resetPassword(service, token, NEW_PASSWORD, newClient());
    const hash = vi.spyOn(service.app.hashGate, 'run');
    expect(await resetPassword(service, token, NEW_PASSWORD, newClient())).toEqual(invalidToken('ALREADY_USED'));
    expect(await resetPassword(service, 'no token', NEW_PASSWORD, newClient())).toEqual(invalidToken('NOT_FOUND'));
    expect(hash).not.toHaveBeenCalled();
    hash.mockRestore();
    expect(await logIn(service, user.email, NEW_PASSWORD)).toMatchObject({ user: { id: user.id } });
  });
});
