import { z } from 'zod';
import { carriesLink, MAIL_KINDS, type MailKind } from './kinds.ts';
import { inspectTemplate } from './placeholders.ts';

/** All that mails say in one language. */
export type Language = Readonly<z.infer<typeof language>>;

/** What a file says of a language: all of it or a part. */
export type LanguageFile = Readonly<z.infer<typeof languageFile>>;

// A line break in a subject would be another header.
const line = z.string().regex(/^[^\p{Cc}\p{Zl}\p{Zp}]+$/u, 'must be text on one line');
const paragraphs = z.array(line);

const ownWords = z.strictObject({
  direction: z.enum(['ltr', 'rtl']),
  greeting: line,
  greetingWithoutName: line,
  /** Who invites when the inviter's account is gone. */
  somebody: line,
  expiry: line,
  linkHelp: line,
  footer: line,
});

const mailWords = z.strictObject({
  subject: line,
  /** Paragraphs before the link. */
  before: paragraphs,
  /** What stands on the link. */
  button: line.optional(),
  after: paragraphs,
});

const language = ownWords.extend({ mails: z.record(z.enum(MAIL_KINDS), mailWords) });
const languageFile = ownWords
  .partial()
  .extend({ mails: z.partialRecord(z.enum(MAIL_KINDS), mailWords.partial()).optional() });

/** The file as it is, or everything that is wrong with it, a key each. */
export function parseLanguageFile(text: string): LanguageFile | readonly string[] {
  const result = languageFile.safeParse(parseJson(text));
  if (!result.success) {
    return result.error.issues.map(({ path, message }) => `${path.join('.') || 'the file'}: ${message}`);
  }
  const problems = textsIn(result.data).flatMap(({ key, text, placeholders }) =>
    inspectTemplate(text, { values: placeholders }).problems.map((problem) => `${key} ${problem}`),
  );
  return problems.length > 0 ? problems : result.data;
}

/** The language that these files make together; of each key the last file that has it counts. */
export function mergeLanguage(files: readonly LanguageFile[]): Language {
  return language.parse({
    ...Object.assign({}, ...files),
    mails: Object.fromEntries(
      MAIL_KINDS.map((kind) => [kind, Object.assign({}, ...files.map((file) => file.mails?.[kind]))]),
    ),
  });
}

interface Text {
  readonly key: string;
  readonly text: string;
  /** What may stand in it. */
  readonly placeholders: readonly string[];
}

const EVERYWHERE = ['service', 'site'];
const OF_LINKS = ['lifetime', 'expiresAt'];
const OWN_PLACEHOLDERS: Readonly<Record<string, readonly string[]>> = {
  greeting: ['firstName', 'lastName'],
  expiry: OF_LINKS,
};

/** Every template of a language, by its key. */
export function textsIn({ mails = {}, direction: _, ...own }: LanguageFile): readonly Text[] {
  const ownTexts = Object.entries(own).map(([key, text = '']) => ({
    key,
    text,
    placeholders: [...EVERYWHERE, ...(OWN_PLACEHOLDERS[key] ?? [])],
  }));
  const mailTexts = MAIL_KINDS.flatMap((kind) =>
    Object.entries(mails[kind] ?? {}).flatMap(([key, value]) =>
      [value ?? []].flat().map((text) => ({ key: `mails.${kind}.${key}`, text, placeholders: placeholdersOf(kind) })),
    ),
  );
  return [...ownTexts, ...mailTexts];
}

function placeholdersOf(kind: MailKind): readonly string[] {
  return [...EVERYWHERE, ...(carriesLink(kind) ? OF_LINKS : []), ...(kind === 'invitation' ? ['inviter'] : [])];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
