import { v7 as newId } from 'uuid';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { mailUser } from '../mail/owed.ts';
import {
  Register,
  RequestVerification,
  register,
  registrant,
  requestEmailChange,
  verifyEmail,
} from '../registration/operations.ts';
import { faultsOf } from '../sessions/operations.ts';
import { createPerson, signIn } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { linkIn, mailsTo, newestTokenTo } from './reading.ts';

let service: TestService;

beforeAll(async () => {
  service = await startTestService();
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

async function on(environment: Record<string, string>, test: (other: TestService) => Promise<void>): Promise<void> {
  const other = await startTestService({ database: service, environment });
  try {
    await test(other);
  } finally {
    await other.close();
  }
}

/** The links that somebody gets who registers and then moves to another address. */
async function linksOf(other: TestService, name: string): Promise<readonly [verification: URL, change: URL]> {
  const [email, newEmail] = [`${name}@latchkey.test`, `new-${name}@latchkey.test`];
  await register(other, registrant(email));
  const [verification] = await mailsTo(other, email);
  const link = verification && linkIn(verification);
  const { user, password } = await createPerson(other);
  const { accessToken } = await signIn(other, { email: user.email, password });
  await requestEmailChange(other, accessToken, { newEmail, currentPassword: password });
  const [confirmation] = await mailsTo(other, newEmail);
  const change = confirmation && linkIn(confirmation);
  if (link === undefined || change === undefined) throw new Error('no links');
  return [link, change];
}

describe('the links in mails', () => {
  it('lead to PUBLIC_URL when nothing else is said', () =>
    on({ PUBLIC_URL: 'https://id.latchkey.test' }, async (other) => {
      const [verification, change] = await linksOf(other, 'public-url');
      expect(verification.href).toMatch(/^https:\/\/id\.latchkey\.test\/verify-email\?token=[\w-]{71}$/);
      expect(change.href).toMatch(/^https:\/\/id\.latchkey\.test\/confirm-email\?token=[\w-]{71}$/);
    }));

  it('lead to APP_URL, below its path', () =>
    on({ APP_URL: 'https://app.latchkey.test/account/' }, async (other) => {
      const [verification, change] = await linksOf(other, 'app-url');
      expect(verification.href).toMatch(/^https:\/\/app\.latchkey\.test\/account\/verify-email\?token=[\w-]{71}$/);
      expect(change.href).toMatch(/^https:\/\/app\.latchkey\.test\/account\/confirm-email\?token=[\w-]{71}$/);
    }));

  it('lead where EMAIL_VERIFICATION_URL and EMAIL_CHANGE_URL say', () =>
    on(
      {
        APP_URL: 'https://app.latchkey.test',
        EMAIL_VERIFICATION_URL: 'https://www.latchkey.test/proof?lang=en#{token}',
        EMAIL_CHANGE_URL: 'https://www.latchkey.test/change/{token}/now',
      },
      async (other) => {
        const [verification, change] = await linksOf(other, 'templates');
        expect(verification.href).toMatch(/^https:\/\/www\.latchkey\.test\/proof\?lang=en#[\w-]{71}$/);
        expect(await verifyEmail(other, verification.hash.slice(1))).toMatchObject({
          email: 'templates@latchkey.test',
        });
        expect(change.href).toMatch(/^https:\/\/www\.latchkey\.test\/change\/[\w-]{71}\/now$/);
      },
    ));

  it('are not led astray by what a request says of hosts and origins', () =>
    on({ TRUST_PROXY: '1' }, async (other) => {
      const headers = {
        host: 'attacker.test',
        origin: other.url,
        referer: 'https://attacker.test/',
        forwarded: 'host=attacker.test;proto=https',
        'x-forwarded-host': 'attacker.test',
        'x-forwarded-proto': 'https',
        'x-original-host': 'attacker.test',
      };
      const email = 'astray@latchkey.test';
      await other.execute(Register, { input: registrant(email) }, { headers });
      await other.execute(RequestVerification, { email }, { headers });
      await other.runJobs();
      const mails = await mailsTo(other, email);
      expect(mails).toHaveLength(2);
      for (const mail of mails) {
        expect(linkIn(mail).origin).toBe(other.app.issuer.url);
        expect(JSON.stringify(mail)).not.toContain('attacker');
      }
    }));
});

function tagsOf(html = ''): readonly string[] {
  return html.match(/<[^>]*>/g) ?? [];
}

describe('names in mails', () => {
  const NAMES = [
    ['http://attacker.test/win', 'http:// attacker. test/ win'],
    ['You won! Visit attacker.test', 'You won! Visit attacker. test'],
    ['<a href="https://attacker.test">Sofja</a>', '<a href="https:// attacker. test">Sofja</ a>'],
    ['"><script>alert(1)</script>', '"><script>alert(1)</ script>'],
    ["{{link}} {token} $& $' %s", "{{link}} {token} $& $' %s"],
    ['Sofja,   Bcc: everybody@latchkey.test', 'Sofja, Bcc: everybody@ latchkey. test'],
  ] as const;

  it.each(NAMES)('are not there at all for who has not proven the address: %s', async (firstName) => {
    const email = `${newId()}@latchkey.test`;
    await register(service, registrant(email, { firstName, lastName: firstName }));
    await register(service, registrant(email, { firstName }));
    const mails = await mailsTo(service, email);
    expect(mails.map(({ text }) => text.split('\n')[0])).toEqual(['Hello,', 'Hello,']);
    // With its colon, which no token has.
    expect(JSON.stringify(mails)).not.toMatch(/attacker|<script|Bcc:/);
    for (const { subject, text } of mails) {
      expect(subject).toMatch(/^(?:Please confirm your e-mail address|You already have an account)$/);
      expect(text.match(/https?:\/\//g)?.length ?? 0).toBeLessThanOrEqual(1);
    }
  });

  it.each(NAMES)('are text and nothing else for who has: %s', async (firstName, harmless) => {
    const { user } = await createPerson(service);
    const { html: expectedHtml } = await mailUser(service, user, 'account_exists');
    await service.app.db.user.update({ where: { id: user.id }, data: { firstName } });
    await register(service, registrant(user.email));
    const [mail] = await mailsTo(service, user.email);
    expect(mail?.subject).toBe('You already have an account');
    expect(mail?.text.split('\n')[0]).toBe(`Hello ${harmless},`);
    expect(tagsOf(mail?.html)).toEqual(tagsOf(expectedHtml));
  });

  it('are not sent to a new address before it is proven', async () => {
    const { user, password } = await createPerson(service);
    const { accessToken } = await signIn(service, { email: user.email, password });
    const newEmail = `new-${user.email}`;
    await requestEmailChange(service, accessToken, { newEmail, currentPassword: password });
    const [confirmation] = await mailsTo(service, newEmail);
    const [notice] = await mailsTo(service, user.email);
    expect(confirmation?.text).toMatch(/^Hello,\n/);
    expect(confirmation?.text).not.toContain(user.email);
    expect(notice?.text).toMatch(/^Hello Emmy,\n/);
  });
});

describe('what a mail is made of', () => {
  it('holds ids in the database, and neither a link, a token nor a name', async () => {
    const email = 'ids@latchkey.test';
    await register(service, registrant(email));
    const token = await newestTokenTo(service, email);
    const { rows } = await service.app.database.pool.query('SELECT * FROM mails WHERE recipient = $1', [email]);
    const user = await service.app.db.user.findUniqueOrThrow({ where: { email }, include: { oneTimeTokens: true } });
    expect(rows).toEqual([
      {
        id: expect.any(String),
        kind: 'email_verification',
        recipient: email,
        user_id: user.id,
        token_id: user.oneTimeTokens[0]?.id,
        invitation_id: null,
        created_at: service.clock.now(),
        sent_at: null,
        abandoned_at: null,
        abandoned_reason: null,
      },
    ]);
    expect(JSON.stringify(rows)).not.toContain(token.slice(-24));
  });
});
