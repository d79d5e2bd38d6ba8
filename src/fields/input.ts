import { z } from 'zod';
import { ValidationError } from '../errors.ts';
import { canonicalEmail } from './email-address.ts';
import { canonicalLanguageTag } from './language-tag.ts';

const MAX_NAME_CODE_POINTS = 100;
const MAX_REMARK_CODE_POINTS = 2000;
// Unicode breaks lines at U+2028 and U+2029 too, which are no control characters.
const NOT_ON_ONE_LINE = /[\p{Cc}\p{Zl}\p{Zp}]/u;
const NOT_IN_A_NOTE = /(?![\n\t])\p{Cc}/u;

/** An address that may be typed in any form, read into its canonical one. */
export const emailField = z
  .string({ error: required })
  .transform(
    (text, context) =>
      canonicalEmail(text) ?? refused(context, 'INVALID_EMAIL', 'This is no e-mail address that mail can be sent to.'),
  );

/** A given or family name: 1 to 100 code points on one line, white space at the ends removed, NFC. */
export const nameField = textField({
  maxCodePoints: MAX_NAME_CODE_POINTS,
  isRequired: true,
});

/** A note: at most 2,000 code points, tabs and line breaks allowed, these as LF; what is blank becomes null. */
export const remarkField = textField({
  maxCodePoints: MAX_REMARK_CODE_POINTS,
  isRequired: false,
  isNote: true,
})
  .nullable()
  .transform((text) => text || null);

/** A language tag, read into its canonical form. */
export const localeField = z
  .string({ error: required })
  .transform(
    (text, context) =>
      canonicalLanguageTag(text) ??
      refused(context, 'INVALID_LOCALE', 'This is no language tag of at most 35 characters, such as "en" or "de-AT".'),
  )
  .nullable();

interface TextRules {
  readonly maxCodePoints: number;
  readonly isRequired: boolean;
  /** May have line breaks. */
  readonly isNote?: boolean;
}

/** Text that can be stored, shown on a page and put into a mail. */
export function textField({ maxCodePoints, isRequired, isNote = false }: TextRules) {
  const forbidden = isNote ? NOT_IN_A_NOTE : NOT_ON_ONE_LINE;
  return z.string({ error: required }).transform((text, context) => {
    // Bounded before it is normalised, so that a large input costs nothing.
    if (text.length > 4 * maxCodePoints) return refused(context, 'TOO_LONG', `At most ${maxCodePoints} characters.`);
    if (!text.isWellFormed()) return refused(context, 'INVALID_CHARACTERS', 'This holds half a character.');
    const normalised = (isNote ? text.replaceAll('\r\n', '\n') : text).normalize('NFC').trim();
    if (forbidden.test(normalised))
      return refused(
        context,
        'INVALID_CHARACTERS',
        isNote ? 'Control characters are not allowed.' : 'Line breaks and control characters are not allowed.',
      );
    if (isRequired && normalised === '') return refused(context, 'REQUIRED', 'This must not be empty.');
    if ([...normalised].length > maxCodePoints)
      return refused(context, 'TOO_LONG', `At most ${maxCodePoints} characters.`);
    return normalised;
  });
}

/**
 * The input as the schema reads it.
 *
 * @throws ValidationError with every field that is wrong, each under `input`
 */
export function parseInput<Output>(schema: z.ZodType<Output>, input: unknown): Output {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  throw new ValidationError(
    result.error.issues.map((issue) => ({
      path: ['input', ...issue.path.map(String)],
      code: issue.code === 'custom' ? String(issue.params?.code) : 'REQUIRED',
      message: issue.message,
    })),
  );
}

/** For transforms: the field is refused with one of our codes. */
export function refused(context: z.RefinementCtx, code: string, message: string): never {
  context.addIssue({ code: 'custom', params: { code }, message });
  return z.NEVER;
}

/** GraphQL has checked the types, so the one thing left to be wrong is a null. */
function required(): string {
  return 'This must not be null.';
}
