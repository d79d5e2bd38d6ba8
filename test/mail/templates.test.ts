import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError, loadConfig } from '../../src/config.ts';
import { loadMailTemplates } from '../../src/mail/templates.ts';
import { linkIn } from '../mailbox/reading.ts';
import { faultsOf } from '../sessions/operations.ts';
import { createPerson } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { mailInvitation, mailUser } from './owed.ts';

const EXAMPLE = join(import.meta.dirname, '../../examples/mail-templates');

const SECRET = randomBytes(32).toString('base64');

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'latchkey-mails-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function write(files: Readonly<Record<string, string | object>>): void {
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(directory, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
}

function problemsOf(environment: Readonly<Record<string, string>>): readonly string[] {
  try {
    loadConfig({ MAIL_TEMPLATES_DIR: directory, ...environment }, () => SECRET);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

const LAYOUT = '{{greeting}} {{#before}}{{.}}{{/before}} {{link}} {{#after}}{{.}}{{/after}}';

describe('MAIL_TEMPLATES_DIR', () => {
  it('may hold any part of a language; the rest is ours', () => {
    write({ 'de.json': { mails: { password_reset: { button: 'Los' } } } });
    const ours = loadMailTemplates(null);
    const theirs = loadMailTemplates(directory);
    expect(theirs.languages.get('de')?.mails.password_reset.button).toBe('Los');
    const words = JSON.stringify([...ours.languages]);
    expect(JSON.stringify([...theirs.languages])).toBe(
      words.replace('"button":"Neues Passwort wählen"', '"button":"Los"'),
    );
    expect({ ...theirs, languages: null }).toEqual({ ...ours, languages: null });
  });

  it('may add languages, whose missing keys are those of the wider language, and those of English in the end', () => {
    write({
      'nl.json': { greetingWithoutName: 'Hallo,' },
      'nl-BE.json': { footer: 'Gent' },
      'de-AT.json': { footer: 'Graz' },
    });
    const { languages } = loadMailTemplates(directory);
    const [english, german] = [languages.get('en'), languages.get('de')];
    expect(languages.get('nl')).toEqual({ ...english, greetingWithoutName: 'Hallo,' });
    expect(languages.get('nl-BE')).toEqual({ ...english, greetingWithoutName: 'Hallo,', footer: 'Gent' });
    expect(languages.get('de-AT')).toEqual({ ...german, footer: 'Graz' });
  });

  it('is left alone where names begin with a dot', () => {
    write({ '.DS_Store': 'x' });
    mkdirSync(join(directory, '..data'));
    expect(loadMailTemplates(directory)).toEqual(loadMailTemplates(null));
  });

  it.each([
    ['en.json', 'not json', 'en.json: the file: Invalid input: expected object, received undefined'],
    ['en.json', { subjekt: 'x' }, 'en.json: the file: Unrecognized key: "subjekt"'],
    ['en.json', { mails: { invitation: { titel: 'x' } } }, 'en.json: mails.invitation: Unrecognized key: "titel"'],
    ['en.json', { mails: { invite: {} } }, /^en\.json: mails(?:\.invite)?: /],
    ['en.json', { mails: { invitation: { before: 'x' } } }, /^en\.json: mails\.invitation\.before: .*expected array/],
    [
      'en.json',
      { mails: { invitation: { subject: 'a\nb' } } },
      'en.json: mails.invitation.subject: must be text on one line',
    ],
    ['en.json', { footer: '' }, 'en.json: footer: must be text on one line'],
    ['en.json', { direction: 'up' }, /^en\.json: direction: /],
    ['en.json', { footer: '{{servce}}' }, 'en.json: footer has {{servce}}, which is not one of service, site'],
    ['en.json', { footer: '{{{service}}}' }, /^en\.json: footer has a tag around "service" that is not allowed here/],
    ['en.json', { footer: '{{> other}}' }, /^en\.json: footer has a tag around "other" that is not allowed here/],
    ['en.json', { footer: '{{#site}}x{{/site}}' }, 'en.json: footer has {{#site}}, which is no section here'],
    ['en.json', { footer: 'a {{site' }, /^en\.json: footer is no template: Unclosed tag/],
    [
      'en.json',
      { mails: { password_reset: { subject: '{{inviter}}' } } },
      'en.json: mails.password_reset.subject has {{inviter}}, which is not one of service, site, lifetime, expiresAt',
    ],
    ['EN.json', {}, /^EN\.json is neither layout\.html, layout\.txt nor named after a language/],
    ['english.txt', 'x', /^english\.txt is neither /],
    ['layout.html', 'hello', 'layout.html lacks {{before}}; layout.html lacks {{link}}; layout.html lacks {{after}}'],
    ['layout.txt', `${LAYOUT}{{user.email}}`, /^layout\.txt has \{\{user\.email\}\}, which is not one of language, /],
    ['layout.html', `${LAYOUT}{{{subject}}}`, /^layout\.html has a tag around "subject" that is not allowed here/],
    ['layout.html', `${LAYOUT}{{constructor}}`, /^layout\.html has \{\{constructor\}\}, which is not one of /],
    ['layout.html', `${LAYOUT}{{=<% %>=}}`, /^layout\.html has a tag around /],
    ['layout.html', `${LAYOUT}{{#before}}`, /^layout\.html is no template: Unclosed section "before"/],
  ])('is refused with a bad %s: %j', (name, content, problem) => {
    write({ [name]: content });
    const text = typeof problem === 'string' ? problem : expect.stringMatching(problem);
    const [line = '', ...others] = problemsOf({});
    expect(others).toEqual([]);
    expect(line.slice(0, line.indexOf(': ') + 2)).toBe('MAIL_TEMPLATES_DIR is refused: ');
    expect(line.slice(line.indexOf(': ') + 2)).toEqual(text);
  });

  it('is refused with everything that is wrong, in one line, beside the other variables', () => {
    write({ 'en.json': { footer: '{{x}}', greeting: '' }, 'layout.html': '{{#x}}{{/x}}' });
    mkdirSync(join(directory, 'de.json'));
    expect(problemsOf({ PORT: 'x', MAIL_LOCALE: 'no locale' })).toEqual([
      'PORT must be a whole number from 0 to 65535',
      'MAIL_LOCALE must be a language tag such as en or de-AT',
      'MAIL_TEMPLATES_DIR is refused: de.json cannot be read (EISDIR); en.json: greeting: must be text on one line; ' +
        'layout.html has {{#x}}, which is no section here',
    ]);
  });
});

describe('MAIL_LOCALE', () => {
  it('has to be a language that there are words in', () => {
    expect(problemsOf({ MAIL_LOCALE: 'de-CH' })).toEqual([]);
    expect(problemsOf({ MAIL_LOCALE: 'nl' })).toEqual(['MAIL_LOCALE must be a language that there is a file for']);
    write({ 'nl.json': {} });
    expect(problemsOf({ MAIL_LOCALE: 'nl' })).toEqual([]);
  });
});

describe('the example in examples/mail-templates', () => {
  let service: TestService;

  beforeAll(async () => {
    service = await startTestService({
      environment: { MAIL_TEMPLATES_DIR: EXAMPLE, APP_URL: 'https://portal.example.com' },
    });
  });
  afterEach(() => expect(faultsOf(service)).toEqual([]));
  afterAll(() => service.close());

  it('says things its own way, and the rest in ours', async () => {
    const { user } = await createPerson(service);
    const invitation = await mailInvitation(service, { invitedById: user.id });
    expect(invitation.subject).toBe('Emmy Noether invites you to the customer portal');
    expect(invitation.text).toBe(`Hello Sofja,

Emmy Noether invites you to the customer portal of Example Ltd.

Choose a password, and you are in:

${linkIn(invitation).href}

The link works once. It is good for 7 days: until Tuesday, January 8, 2030 at 12:00 AM UTC.

If you do not know what this is about, leave the link alone. There is no account until you accept.

--
Example Ltd. You get this mail because your address was used at portal.example.com. Questions? Write to help@example.com.
`);
    const { subject } = await mailUser(service, user, 'password_changed');
    expect(subject).toBe('Your password was changed');
  });

  it('adds French', async () => {
    const { user } = await createPerson(service);
    const { subject, text } = await mailInvitation(service, { invitedById: user.id, locale: 'fr-CA' });
    expect(subject).toBe('Emmy Noether vous invite sur Latchkey');
    expect(text.replaceAll('\u00a0', ' ')).toContain('Il est valable 7 jours, jusqu’au mardi 8 janvier 2030');
  });

  it('has an HTML layout of its own, in which names are still text', async () => {
    const { user } = await createPerson(service);
    await service.app.db.user.update({ where: { id: user.id }, data: { firstName: '<b>Eve</b>' } });
    const { html } = await mailUser(service, user, 'password_reset');
    expect(html).toContain('font: 17px/1.5 Georgia, serif');
    expect(html).toContain('<p>Hello &lt;b&gt;Eve&lt;/ b&gt;,</p>');
    expect(html).not.toContain('<b>');
  });
});
