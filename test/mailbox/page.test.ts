import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accepted, invite, invitee, preview } from '../invitations/operations.ts';
import { register, registrant, verifyEmail } from '../registration/operations.ts';
import { createPerson } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { createAdministrator } from '../users/staff.ts';
import { linkIn, mailsTo } from './reading.ts';

const chromiumPath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
const howToGetChromium = `no Chromium at ${chromiumPath}: install Debian's package "chromium", or set CHROMIUM_PATH`;
const chromiumIsMissing = !existsSync(chromiumPath);
// A fresh machine need not have a browser, but the checks that decide about a change must.
const mayBeSkipped = chromiumIsMissing && (process.env.CI ?? '') === '';
if (mayBeSkipped) process.stderr.write(`SKIPPED: the mailbox was not looked at in a browser, ${howToGetChromium}\n`);

const LONG_ADDRESS = `${'long.'.repeat(12)}name@a-rather-long-subdomain.of-an-even-longer-domain.latchkey.test`;
const ADDRESS = 'sofja@latchkey.test';

describe.skipIf(mayBeSkipped)('the mailbox in a browser', { timeout: 90_000 }, () => {
  let service: TestService;
  let browser: Browser;

  beforeAll(async () => {
    if (chromiumIsMissing) throw new Error(howToGetChromium);
    service = await startTestService();
    const { user } = await createPerson(service);
    const firstName = '<img src=x onerror="document.title=1"><script>document.title = 1</script>';
    await service.app.db.user.update({ where: { id: user.id }, data: { firstName } });
    for (const email of [user.email, LONG_ADDRESS, ADDRESS]) await register(service, registrant(email));
    browser = await chromium.launch({
      executablePath: chromiumPath,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        // The network is shut to all but this machine.
        '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
      ],
    });
  });

  afterAll(async () => {
    await browser?.close();
    await service?.close();
  });

  it.each([
    [1280, 'light'],
    [1280, 'dark'],
    [375, 'light'],
    [375, 'dark'],
  ] as const)(
    'fits a window of %i pixels in %s mode, and shows names as they were typed',
    async (width, colorScheme) => {
      const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
      const problems: string[] = [];
      page.on('console', (message) => problems.push(message.text()));
      page.on('pageerror', (error) => problems.push(error.message));
      page.on('requestfailed', (request) => problems.push(request.url()));
      await page.goto(`${service.url}/mailbox`);

      expect(await page.title()).toBe('Mailbox · Latchkey');
      expect(await page.locator('article').count()).toBe(3);
      expect(await page.locator('article img, article script').count()).toBe(0);
      for (const [index, article] of (await page.locator('article').all()).entries()) {
        // The newest is open.
        if (index > 0) await article.locator('> details > summary').click();
        await article.getByText('As text').click();
      }
      expect(await page.locator('details[open]').count()).toBe(6);
      expect(await page.locator('.mail').getByText('Hello <img src=x').count()).toBe(1);
      expect(await page.locator('.text').getByText('Hello <img src=x').count()).toBe(1);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
      // A mail keeps its styles to itself, and follows the mode of the screen.
      const [background = ''] = await page
        .locator('.mail .latchkey-card')
        .evaluateAll((cards) => cards.map((card) => getComputedStyle(card).backgroundColor));
      expect(background).toBe(colorScheme === 'light' ? 'rgb(255, 255, 255)' : 'rgb(31, 34, 41)');
      expect(await page.evaluate(() => getComputedStyle(document.body).colorScheme)).toBe('light dark');
      expect(problems).toEqual([]);
      await page.close();
    },
  );

  it('has links that lead to the front end with the token, which is still good after that', async () => {
    const page = await browser.newPage();
    await page.goto(`${service.url}/mailbox`);
    const [mail] = await mailsTo(service, ADDRESS);
    const link = mail && linkIn(mail);
    await page.getByRole('link', { name: link?.href ?? '' }).click();
    await page.waitForURL(link?.href ?? '');
    await page.close();
    expect(await verifyEmail(service, link?.searchParams.get('token') ?? '')).toMatchObject({ email: ADDRESS });
  });

  it('leads an invited person to the front end with the token that accepts the invitation', async () => {
    const { email } = invitee();
    const administrator = await createAdministrator(service);
    await invite(service, administrator, invitee({ email }));
    const page = await browser.newPage();
    await page.goto(`${service.url}/mailbox`);
    const mail = page.locator('article').filter({ hasText: email });
    await mail.getByRole('link').and(page.locator('[href*="/accept-invitation?"]')).first().click();
    await page.waitForURL('**/accept-invitation?*');
    const { origin, pathname, searchParams } = new URL(page.url());
    await page.close();

    expect(`${origin}${pathname}`).toBe(`${service.app.issuer.url}/accept-invitation`);
    const token = searchParams.get('token') ?? '';
    expect(await preview(service, token)).toMatchObject({ email, status: 'PENDING' });
    expect(await accepted(service, token)).toMatchObject({ user: { email } });
  });
});
