import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '../..');

export interface Snippet {
  readonly document: string;
  readonly language: string;
  readonly text: string;
  /** Why the comment before it says that it is not run; null for all the others. */
  readonly reasonNotToRun: string | null;
  /** What the document says that it prints. */
  readonly answer: Answer | null;
}

export interface Answer {
  readonly language: string;
  readonly text: string;
}

/** The README and everything in docs/, by path. */
export const documents: ReadonlyMap<string, string> = new Map(
  ['README.md', ...markdownFilesIn('docs')].map((path) => [path, readFileSync(join(root, path), 'utf8')]),
);

/** What stands between fences, without the answers, which belong to the snippet before them. */
export function snippetsOf(document: string): readonly Snippet[] {
  const snippets: Snippet[] = [];
  for (const [, comment = '', language = '', text = ''] of textOf(document).matchAll(FENCED)) {
    const asked = snippets.at(-1);
    if (comment === 'answer') {
      if (asked === undefined || asked.answer !== null) throw new Error(`${document}: an answer to nothing:\n${text}`);
      snippets.splice(-1, 1, { ...asked, answer: { language, text } });
    } else {
      const [, reasonNotToRun = null] = /^not run: (.+)$/.exec(comment) ?? [];
      snippets.push({ document, language, text, reasonNotToRun, answer: null });
    }
  }
  return snippets;
}

export function textOf(document: string): string {
  const text = documents.get(document);
  if (text === undefined) throw new Error(`there is no ${document}`);
  return text;
}

/** The rows of the table whose first heading is this, a cell each, without the marks of code. */
export function tableOf(document: string, firstHeading: string): readonly (readonly string[])[] {
  const [, rows = ''] =
    new RegExp(`^\\| ${firstHeading} \\|.*\\n\\|[-|]+\\n((?:\\|.*\\n)+)`, 'm').exec(textOf(document)) ?? [];
  return rows
    .trimEnd()
    .split('\n')
    .map((row) => row.slice(2, -2).replaceAll('`', '').split(' | '));
}

const FENCED = /(?:^<!-- ([^\n]+) -->\n)?^```([^\n]*)\n(.*?)^```$/gms;

function markdownFilesIn(directory: string): readonly string[] {
  return readdirSync(join(root, directory))
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => `${directory}/${name}`);
}
