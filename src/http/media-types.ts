import type { IncomingMessage } from 'node:http';

export type AnswerMediaType = 'application/json' | 'application/graphql-response+json';

const JSON_CONTENT = /^application\/json[ \t]*(?:;|$)/i;
const QUALITY = /^q=([01](?:\.\d{1,3})?)$/;

/** By how the client asks for it; without a preference it is plain JSON, which every client knows. */
const ANSWERS: ReadonlyMap<string, AnswerMediaType> = new Map([
  ['application/json', 'application/json'],
  ['application/graphql-response+json', 'application/graphql-response+json'],
  ['application/*', 'application/json'],
  ['*/*', 'application/json'],
]);

/** Whether the body is said to be JSON, and nothing else besides. */
export function sendsJson({ headersDistinct }: IncomingMessage): boolean {
  const [contentType = '', ...others] = headersDistinct['content-type'] ?? [];
  return others.length === 0 && JSON_CONTENT.test(contentType);
}

/** What to answer in, or null when the client can read none of what we write. */
export function answerMediaType({ headers }: IncomingMessage): AnswerMediaType | null {
  const accepted = (headers.accept || '*/*').toLowerCase().split(',').map(readRange);
  const [best] = accepted.filter((range) => range !== null).sort((a, b) => b.quality - a.quality);
  return best?.mediaType ?? null;
}

interface AcceptedAnswer {
  readonly mediaType: AnswerMediaType;
  /** From above 0 to 1. */
  readonly quality: number;
}

function readRange(text: string): AcceptedAnswer | null {
  const [range = '', ...parameters] = text.split(';').map((part) => part.trim());
  const mediaType = ANSWERS.get(range);
  const charset = parameters.find((parameter) => parameter.startsWith('charset='));
  const qualities = parameters.flatMap((parameter) => QUALITY.exec(parameter)?.[1] ?? []);
  const quality = Number(qualities[0] ?? 1);
  if (mediaType === undefined || quality === 0 || (charset ?? 'charset=utf-8') !== 'charset=utf-8') return null;
  return { mediaType, quality };
}
