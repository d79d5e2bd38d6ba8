import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { mailsTo, newestTokenTo } from '../mailbox/reading.ts';
import { faultsOf } from '../sessions/operations.ts';
import { signIn } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import {
  accepted,
  confirmEmailChange,
  emailTaken,
  invalidCredentials,
  invalidToken,
  logIn,
  PASSWORD,
  register,
  registrant,
  requestEmailChange,
  requestVerification,
  verifyEmail,
} from './operations.ts';

let service: TestService;

beforeAll(async () => {
  service = await startTestService({ database: 'embedded', environment: { RATE_LIMITING: 'on', TRUST_PROXY: '1' } });
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service?.close());

let clients = 0;

/** So that nobody comes to the limit of a client before it is wanted. */
function registerAnywhere(email: string, rest = {}) {
  clients += 1;
  return register(service, registrant(email, rest), { headers: { 'x-forwarded-for': `198.18.0.${clients}` } });
}

describe('on the embedded database', () => {
  it('an account is registered, proven, used and moved to another address', async () => {
    const [email, newEmail] = ['whole@latchkey.test', 'whole.story@latchkey.test'];
    expect(await registerAnywhere(email)).toMatchObject({ email, verificationRequired: true });
    expect(await logIn(service, email)).toMatchObject({ code: 'EMAIL_NOT_VERIFIED' });
    const older = await newestTokenTo(service, email);
    expect(await requestVerification(service, email)).toEqual(accepted);
    expect(await verifyEmail(service, older)).toEqual(invalidToken('REVOKED'));
    expect(await verifyEmail(service, await newestTokenTo(service, email))).toMatchObject({ email });
    const { accessToken } = await signIn(service, { email, password: PASSWORD });

    const change = { newEmail, currentPassword: PASSWORD };
    expect(await requestEmailChange(service, accessToken, change)).toEqual(accepted);
    expect(await logIn(service, newEmail)).toEqual(invalidCredentials);
    const token = await newestTokenTo(service, newEmail);
    expect(await confirmEmailChange(service, token)).toMatchObject({ user: { email: newEmail, emailVerified: true } });
    expect(await confirmEmailChange(service, token)).toEqual(invalidToken('ALREADY_USED'));
    expect(await logIn(service, newEmail)).toMatchObject({ user: { email: newEmail } });
    expect(await logIn(service, email)).toEqual(invalidCredentials);

    const events = await service.app.db.auditEvent.findMany({
      where: { actor: { email: newEmail } },
      orderBy: { id: 'asc' },
    });
    expect(events.map(({ type }) => type).filter((type) => !type.startsWith('login'))).toEqual([
      'user.registered',
      'email.verified',
      'email.change_requested',
      'email.changed',
    ]);
  });

  it('fifty registrations of one address at once make one account, and three mails to its owner', async () => {
    const email = 'parallel@latchkey.test';
    const forms = Array.from({ length: 50 }, (_, index) => (index % 2 ? email : email.toUpperCase()));
    const answers = await Promise.all(forms.map((form) => registerAnywhere(form)));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(await service.app.db.user.count({ where: { email } })).toBe(1);
    const subjects = (await mailsTo(service, email)).map(({ subject }) => subject).sort();
    expect(subjects).toEqual(['Please confirm your e-mail address', ...Array(3).fill('You already have an account')]);
  });

  it('a token works once of ten times at once', async () => {
    const email = 'once@latchkey.test';
    await registerAnywhere(email);
    const token = await newestTokenTo(service, email);
    const answers = await Promise.all(Array.from({ length: 10 }, () => verifyEmail(service, token)));
    expect(answers.filter((answer) => answer?.__typename === 'VerifyEmailPayload')).toHaveLength(1);
    expect(answers.filter((answer) => answer?.__typename === 'InvalidTokenError')).toEqual(
      Array(9).fill(invalidToken('ALREADY_USED')),
    );
  });

  it('an address goes to one of two people who confirm it at once, and the other is told', async () => {
    const newEmail = 'wanted@latchkey.test';
    const tokens: string[] = [];
    for (const email of ['one.of.two@latchkey.test', 'two.of.two@latchkey.test']) {
      await registerAnywhere(email);
      await verifyEmail(service, await newestTokenTo(service, email));
      const { accessToken } = await signIn(service, { email, password: PASSWORD });
      await requestEmailChange(service, accessToken, { newEmail, currentPassword: PASSWORD });
      tokens.push(await newestTokenTo(service, newEmail));
    }
    const answers = await Promise.all(tokens.map((token) => confirmEmailChange(service, token)));
    expect(answers.filter((answer) => answer?.__typename === 'UserPayload')).toHaveLength(1);
    expect(answers.filter((answer) => answer?.__typename === 'EmailTakenError')).toEqual([emailTaken]);
  });

  it('a client is refused after 20 registrations an hour', async () => {
    const options = { headers: { 'x-forwarded-for': '198.18.1.1' } };
    for (let index = 0; index < 20; index += 1) await register(service, registrant(`n${index}@latchkey.test`), options);
    expect(await register(service, registrant('n20@latchkey.test'), options)).toMatchObject({ code: 'RATE_LIMITED' });
  });
});
