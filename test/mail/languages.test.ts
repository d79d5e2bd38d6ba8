import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LINK_MAIL_KINDS, MAIL_KINDS } from '../../src/mail/kinds.ts';
import { parseLanguageFile, textsIn } from '../../src/mail/language.ts';
import { closestLanguage, loadMailTemplates } from '../../src/mail/templates.ts';

const directory = join(import.meta.dirname, '../../src/mail/languages');
const files = readdirSync(directory);

function keysOf(value: unknown, path = ''): readonly string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [path];
  return Object.entries(value).flatMap(([key, inner]) => keysOf(inner, path === '' ? key : `${path}.${key}`));
}

/** The placeholders of each key, together. */
function placeholdersOf(text: string): Readonly<Record<string, readonly string[]>> {
  const file = parseLanguageFile(text);
  if (!('mails' in file)) throw new Error(`no language: ${text}`);
  const byKey = Map.groupBy(textsIn(file), ({ key }) => key);
  return Object.fromEntries(
    [...byKey].map(([key, texts]) => [key, texts.flatMap(({ text }) => text.match(/\{\{\w+\}\}/g) ?? [])]),
  );
}

function textOf(file: string): string {
  return readFileSync(join(directory, file), 'utf8');
}

describe('the languages of mails', () => {
  it('are English and German', () => {
    expect(files).toEqual(['de.json', 'en.json']);
    expect([...loadMailTemplates(null).languages.keys()]).toEqual(['de', 'en']);
  });

  it('have words for every mail in English, and a button for each that has a link', () => {
    const { mails } = JSON.parse(textOf('en.json')) as { mails: Record<string, object> };
    expect(Object.keys(mails)).toEqual(MAIL_KINDS);
    const withButton = Object.keys(mails).filter((kind) => 'button' in (mails[kind] ?? {}));
    expect(withButton).toEqual(LINK_MAIL_KINDS);
  });

  it.each(files)('have every key and every placeholder of English: %s', (file) => {
    expect(keysOf(JSON.parse(textOf(file)))).toEqual(keysOf(JSON.parse(textOf('en.json'))));
    const [own, english] = [placeholdersOf(textOf(file)), placeholdersOf(textOf('en.json'))];
    for (const [key, placeholders] of Object.entries(english)) {
      expect({ key, placeholders: own[key] }).toEqual({ key, placeholders: expect.arrayContaining([...placeholders]) });
    }
  });
});

describe('closestLanguage', () => {
  const templates = loadMailTemplates(null);

  it.each([
    ['de', 'de'],
    ['de-AT', 'de'],
    ['de-CH-1996', 'de'],
    ['en-GB', 'en'],
    ['nl', null],
    ['den', null],
  ])('is for %s: %s', (tag, language) => {
    expect(closestLanguage(templates, tag)).toBe(language);
  });
});
