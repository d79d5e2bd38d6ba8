const MAX_CODE_POINTS = 60;
const MOST_DIGITS = 4;
// Joiners are letters' business in some scripts. Whatever else has no shape can turn the line around or hide something.
const SHAPELESS = /(?![\u200c\u200d])\p{Cf}/gu;
const BLANK = /[\s\p{Cc}\p{Z}]+/gu;
// With the dots that become dots when a host is looked up, and the wide forms of the others.
const JOINTS = /[.\u3002\uff0e\uff61\u2024:\uff1a/\uff0f\\@\uff20]+(?=\S)/gu;

/**
 * A name as it may stand in a mail: on one line, at most 60 code points long, and nothing that a program for mail makes a
 * link of. Such programs look for dots, colons, slashes and @ with something right behind them, so a space goes there:
 * `J.R. Tolkien` is still a name and `evil.example` no longer an address. Characters without width would not do: they are
 * left out when a host is looked up (UTS #46 §4), so what has them can still be a link. Many digits are a number to call.
 */
export function plainName(name: string): string {
  const text = name.normalize('NFC').replace(SHAPELESS, '').replace(JOINTS, '$& ');
  const digits = text.match(/\p{Nd}/gu)?.length ?? 0;
  const uncallable = digits > MOST_DIGITS ? text.replace(/\p{Nd}/gu, '') : text;
  return shortened(uncallable.replace(BLANK, ' ').trim());
}

function shortened(text: string): string {
  const codePoints = [...text];
  if (codePoints.length <= MAX_CODE_POINTS) return text;
  return `${codePoints
    .slice(0, MAX_CODE_POINTS - 1)
    .join('')
    .trimEnd()}…`;
}
