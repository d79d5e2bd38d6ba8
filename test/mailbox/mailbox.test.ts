import { request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { register, registrant } from '../registration/operations.ts';
import { faultsOf } from '../sessions/operations.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { linkIn, mailsIn } from './reading.ts';

const PATHS = ['/mailbox', '/mailbox.json'];

let service: TestService;

beforeAll(async () => {
  service = await startTestService({ environment: { PUBLIC_URL: 'http://id.latchkey.test:4000' } });
  await register(service, registrant('first@latchkey.test'));
  service.clock.advanceSeconds(60);
  await register(service, registrant('second@latchkey.test'));
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

interface Answer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** With any `Host`, which `fetch` does not let one choose. */
async function get(path: string, headers: Readonly<Record<string, string>> = {}, to = service): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const sent = request(`${to.url}${path}`, { headers }, async (response) => {
    resolve({ status: response.statusCode, headers: response.headers, body: await text(response) });
  });
  sent.on('error', reject).end();
  return promise;
}

describe('/mailbox.json', () => {
  it('has every mail as its receiver would see it, the newest first', async () => {
    const { status, headers, body } = await get('/mailbox.json');
    expect({ status, type: headers['content-type'] }).toEqual({ status: 200, type: 'application/json; charset=utf-8' });
    const mails = JSON.parse(body) as readonly unknown[];
    const mail = (to: string, sentAt: string) => ({
      id: expect.stringMatching(/^[\da-f-]{36}$/),
      to,
      from: 'Latchkey <no-reply@localhost>',
      subject: 'Please confirm your e-mail address',
      text: expect.stringMatching(/^Hello,\n\n/),
      html: expect.stringMatching(/^<!doctype html>\n<html lang="en" dir="ltr">\n.*<p [^>]*>Hello,<\/p>/s),
      sentAt,
    });
    expect(mails).toEqual([
      mail('second@latchkey.test', '2030-01-01T00:01:00.000Z'),
      mail('first@latchkey.test', '2030-01-01T00:00:00.000Z'),
    ]);
  });

  it('has the same link in text and HTML, and the same each time that it is read', async () => {
    const [mail] = await mailsIn(service);
    const link = mail && linkIn(mail).href;
    expect(mail?.html.match(/<a [^>]*href="[^"]*"/g)?.map((tag) => tag.replace(/^.*href=/, ''))).toEqual([
      `"${link}"`,
      `"${link}"`,
    ]);
    expect(mail?.html).toContain(`>${link}</a>`);
    expect(await mailsIn(service)).toEqual(await mailsIn(service));
  });

  it('has the newest hundred', async () => {
    const many = await startTestService();
    const mails = Array.from({ length: 101 }, (_, index) => ({
      kind: 'password_changed',
      recipient: `${index}@latchkey.test`,
      createdAt: new Date(index * 1000),
    }));
    await many.app.db.mail.createMany({ data: mails });
    const read = await mailsIn(many);
    expect(read.map(({ to }) => to)).toEqual(
      mails
        .slice(1)
        .map(({ recipient }) => recipient)
        .reverse(),
    );
    await many.close();
  });
});

describe('/mailbox', () => {
  it('is a page with the same mails and their links, which runs and loads nothing', async () => {
    const { status, headers, body } = await get('/mailbox');
    expect({ status, type: headers['content-type'] }).toEqual({ status: 200, type: 'text/html; charset=utf-8' });
    expect(headers).toMatchObject({
      'content-security-policy':
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    });
    const mails = await mailsIn(service);
    expect(mails).toHaveLength(2);
    for (const { html, to } of mails) {
      expect(body).toContain(html);
      expect(body).toContain(to);
    }
    expect(body).not.toMatch(/<script|<img|\son\w+=|\bsrc=/i);
  });

  it('says what has become of each mail; programs are not given those that were given up', async () => {
    const states = await startTestService();
    const at = states.clock.now();
    const mail = (name: string, rest = {}) => ({
      kind: 'password_changed',
      recipient: `${name}@latchkey.test`,
      createdAt: at,
      ...rest,
    });
    await states.app.db.mail.createMany({
      data: [
        mail('owed'),
        mail('sent', { sentAt: at }),
        mail('abandoned', { abandonedAt: at, abandonedReason: 'no_longer_due' }),
        mail('unknown', { kind: 'of_a_newer_version' }),
      ],
    });
    const { body } = await get('/mailbox', {}, states);
    const lines = [
      ...body.matchAll(/<p class="to">(.*?)<\/p>\n<p class="when">.*?>([^<]*)<\/time> .*?>([^<]*)<\/span>/g),
    ];
    expect(lines.map(([, ...texts]) => texts.join(' | ')).sort()).toEqual([
      'abandoned@latchkey.test | 2030-01-01 00:00:00 UTC | not sent: no longer due',
      'owed@latchkey.test | 2030-01-01 00:00:00 UTC | waiting',
      'sent@latchkey.test | 2030-01-01 00:00:00 UTC | sent',
    ]);
    const received = (await mailsIn(states)).map(({ to }) => to);
    expect(received.sort()).toEqual(['owed@latchkey.test', 'sent@latchkey.test']);
    await states.close();
  });

  it('says so when there is nothing yet', async () => {
    const empty = await startTestService();
    const { body } = await get('/mailbox', {}, empty);
    expect(body).toContain('Nothing yet.');
    await empty.close();
  });
});

describe.each(PATHS)('%s', (path) => {
  const own = ['localhost', 'localhost:1', '127.0.0.1:4000', '[::1]:4000', 'LOCALHOST:4000', 'id.latchkey.test:4000'];

  it.each(own)('answers under the name %s', async (host) => {
    expect(await get(path, { host })).toMatchObject({ status: 200 });
  });

  it.each([
    'attacker.test',
    'attacker.test:4000',
    'localhost.attacker.test',
    'attacker.test.localhost',
    '127.0.0.1.attacker.test',
    'id.latchkey.test',
    'id.latchkey.test:4001',
    'id.latchkey.test.attacker.test:4000',
    '0.0.0.0:4000',
  ])('has nothing under the name %s, to which a foreign page may have been rebound', async (host) => {
    const { status, body } = await get(path, { host, 'x-forwarded-host': 'localhost', origin: 'http://localhost' });
    expect(status).toBe(404);
    expect(JSON.parse(body)).toEqual({
      errors: [{ message: 'There is no mailbox here.', extensions: { code: 'BAD_USER_INPUT' } }],
    });
  });

  it('has nothing when no host is named', async () => {
    const connection = connect(Number(new URL(service.url).port), '127.0.0.1');
    connection.write(`GET ${path} HTTP/1.0\r\n\r\n`);
    expect(await text(connection)).toMatch(/^HTTP\/1\.1 404 /);
  });

  it('cannot be read by the pages of another origin', async () => {
    const { headers } = await get(path, { origin: 'http://localhost:5173' });
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
  });

  it('can only be read', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const response = await fetch(`${service.url}${path}`, { method });
      expect(response.status).toBe(405);
      await response.text();
    }
    const head = await fetch(`${service.url}${path}`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });

  it('takes parameters for nothing', async () => {
    expect(await get(`${path}?format=json`)).toMatchObject({ status: 200 });
    expect(await get(`${path}/`)).toMatchObject({ status: 404 });
  });
});

describe('in production', () => {
  it('there is no mailbox, under whatever name', async () => {
    const production = await startTestService({
      environment: {
        NODE_ENV: 'production',
        MAIL_TRANSPORT: 'smtp',
        SMTP_URL: 'smtp://127.0.0.1:25',
        PUBLIC_URL: 'https://id.latchkey.test',
        ARGON2_MEMORY_KIB: '19456',
        ARGON2_ITERATIONS: '2',
      },
    });
    await register(production, registrant('production@latchkey.test'));
    for (const path of PATHS) {
      for (const host of ['localhost', '127.0.0.1', 'id.latchkey.test']) {
        const { status, body } = await get(path, { host }, production);
        expect(status).toBe(404);
        expect(body).not.toContain('production@latchkey.test');
      }
    }
    await production.close();
  });
});
