import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalLanguageTag, lookupOrder } from '../fields/language-tag.ts';
import { type Language, type LanguageFile, mergeLanguage, parseLanguageFile } from './language.ts';
import { inspectTemplate } from './placeholders.ts';

/** How mails look, and what they say in each language. */
export interface MailTemplates {
  readonly html: string;
  readonly text: string;
  /** By language tag; English is among them. */
  readonly languages: ReadonlyMap<string, Language>;
}

/** The operator's directory cannot be used: a line for each thing that is wrong, with its file. */
export class MailTemplateError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'MailTemplateError';
    this.problems = problems;
  }
}

const ENGLISH = 'en';
const HTML_LAYOUT = 'layout.html';
const TEXT_LAYOUT = 'layout.txt';

/**
 * Our own templates, with what the operator's directory has over them: a layout takes the place of ours, a language's
 * file the place of the keys it has. A key that a language lacks is that of the language it is a variety of, or English.
 *
 * @throws MailTemplateError
 */
export function loadMailTemplates(directory: string | null): MailTemplates {
  const own = readTemplates(join(import.meta.dirname, 'languages'));
  const ownLayouts = readTemplates(join(import.meta.dirname, 'layouts'));
  const given = directory === null ? noTemplates : readTemplates(directory);
  const problems = [...own.problems, ...ownLayouts.problems, ...given.problems];
  const [html, text] = [HTML_LAYOUT, TEXT_LAYOUT].map(
    (name) => given.layouts.get(name) ?? ownLayouts.layouts.get(name),
  );
  if (problems.length > 0 || html === undefined || text === undefined) throw new MailTemplateError(problems);
  const tags = new Set([...own.languages.keys(), ...given.languages.keys()]);
  const filesOf = (tag: string) => [own, given].flatMap(({ languages }) => languages.get(tag) ?? []);
  const languageOf = (tag: string) => mergeLanguage([...lookupOrder(tag), ENGLISH].reverse().flatMap(filesOf));
  return { html, text, languages: new Map([...tags].map((tag) => [tag, languageOf(tag)])) };
}

/** The tag of the language that comes closest to what is asked for, if any does: `de` for `de-AT`. */
export function closestLanguage({ languages }: MailTemplates, tag: string): string | null {
  return lookupOrder(tag).find((candidate) => languages.has(candidate)) ?? null;
}

interface Files {
  readonly layouts: Map<string, string>;
  readonly languages: Map<string, LanguageFile>;
  readonly problems: string[];
}

const noTemplates: Files = { layouts: new Map(), languages: new Map(), problems: [] };

function readTemplates(directory: string): Files {
  const files: Files = { layouts: new Map(), languages: new Map(), problems: [] };
  for (const name of attempt(files, 'the directory', () => readdirSync(directory).sort()) ?? []) {
    // Such as the links with which Kubernetes exchanges a whole directory.
    if (name.startsWith('.')) continue;
    const text = attempt(files, name, () => readFileSync(join(directory, name), 'utf8'));
    if (text !== null) readTemplate(files, name, text);
  }
  return files;
}

function readTemplate({ layouts, languages, problems }: Files, name: string, text: string): void {
  if (name === HTML_LAYOUT || name === TEXT_LAYOUT) {
    layouts.set(name, text);
    problems.push(...layoutProblems(text).map((problem) => `${name} ${problem}`));
    return;
  }
  const [, tag = ''] = /^(.+)\.json$/.exec(name) ?? [];
  if (tag === '' || canonicalLanguageTag(tag) !== tag) {
    problems.push(`${name} is neither ${HTML_LAYOUT}, ${TEXT_LAYOUT} nor named after a language, such as de.json`);
    return;
  }
  const file = parseLanguageFile(text);
  if (isListOfProblems(file)) problems.push(...file.map((problem) => `${name}: ${problem}`));
  else languages.set(tag, file);
}

function isListOfProblems(file: LanguageFile | readonly string[]): file is readonly string[] {
  return Array.isArray(file);
}

const LAYOUT = {
  values: [
    'language',
    'direction',
    'subject',
    'service',
    'site',
    'greeting',
    'link',
    'button',
    'expiry',
    'linkHelp',
    'footer',
  ],
  sections: { before: ['.'], after: ['.'], link: [] },
};
const NEEDED = ['before', 'link', 'after'];

function layoutProblems(layout: string): readonly string[] {
  const { problems, used } = inspectTemplate(layout, LAYOUT);
  if (problems.length > 0) return problems;
  return NEEDED.filter((name) => !used.has(name)).map((name) => `lacks {{${name}}}`);
}

/** Null, and a problem more, when the file system refuses. */
function attempt<T>({ problems }: Files, name: string, read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    problems.push(`${name} cannot be read (${error.code})`);
    return null;
  }
}
