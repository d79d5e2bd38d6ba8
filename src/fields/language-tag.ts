const MAX_LENGTH = 35;

/**
 * A well-formed BCP 47 language tag of at most 35 characters in its canonical form (`de-at` becomes `de-AT`); else null.
 *
 * @see RFC 5646 §4.4.1
 */
export function canonicalLanguageTag(text: string): string | null {
  if (text.length > MAX_LENGTH) return null;
  const tag = canonicalised(text);
  return tag !== null && tag.length <= MAX_LENGTH ? tag : null;
}

function canonicalised(text: string): string | null {
  try {
    return Intl.getCanonicalLocales(text)[0] ?? null;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** The tag itself and what is left of it when it is shortened from its end: `de-CH-1996`, `de-CH`, `de`. RFC 4647 §3.4. */
export function lookupOrder(tag: string): readonly string[] {
  const end = tag.lastIndexOf('-');
  return end === -1 ? [tag] : [tag, ...lookupOrder(tag.slice(0, end))];
}
