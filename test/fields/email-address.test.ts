import { EmailAddressResolver } from 'graphql-scalars';
import { describe, expect, it } from 'vitest';
import { canonicalEmail } from '../../src/fields/email-address.ts';

const LONGEST_LOCAL_PART = 'a'.repeat(64);
const LONGEST_LABEL = 'b'.repeat(63);

describe('canonicalEmail', () => {
  it.each([
    ['ada@latchkey.test', 'ada@latchkey.test'],
    ['Ada@Latchkey.TEST', 'ada@latchkey.test'],
    [' \t\r\n\u00a0\u3000ada@latchkey.test\ufeff ', 'ada@latchkey.test'],
    ['ａｄａ＠ｌａｔｃｈｋｅｙ．ｔｅｓｔ', 'ada@latchkey.test'],
    ['ada@latchkey。test', 'ada@latchkey.test'],
    ['ada@bücher.example', 'ada@xn--bcher-kva.example'],
    ['ada@BÜCHER.example', 'ada@xn--bcher-kva.example'],
    ['ada@bu\u0308cher.example', 'ada@xn--bcher-kva.example'],
    ['ada@XN--BCHER-KVA.example', 'ada@xn--bcher-kva.example'],
    ['ada@straße.example', 'ada@xn--strae-oqa.example'],
    ['ada@例え.テスト', 'ada@xn--r8jz45g.xn--zckzah'],
    ['\u212Aarl@latchkey.test', 'karl@latchkey.test'],
    ["o'neill+tag_1.x=y/z@latchkey.test", "o'neill+tag_1.x=y/z@latchkey.test"],
    ['admin@localhost', 'admin@localhost'],
    ['ada@1.example', 'ada@1.example'],
    [`${LONGEST_LOCAL_PART}@latchkey.test`, `${LONGEST_LOCAL_PART}@latchkey.test`],
    [`ada@${LONGEST_LABEL}.test`, `ada@${LONGEST_LABEL}.test`],
    [longAddress(254), longAddress(254)],
  ])('of %j is %j', (text, expected) => {
    expect(canonicalEmail(text)).toBe(expected);
    expect(canonicalEmail(expected)).toBe(expected);
    expect(EmailAddressResolver.serialize(expected)).toBe(expected);
  });

  it.each([
    '',
    ' ',
    '@',
    'ada',
    'ada@',
    '@latchkey.test',
    'ada@@latchkey.test',
    'ada@home@latchkey.test',
    '.ada@latchkey.test',
    'ada.@latchkey.test',
    'a..da@latchkey.test',
    'a da@latchkey.test',
    'ada @latchkey.test',
    '"ada"@latchkey.test',
    'ada(comment)@latchkey.test',
    'Ada <ada@latchkey.test>',
    'jörg@latchkey.test',
    'ada\u0000@latchkey.test',
    'ada@latchkey.test\u0000',
    'ada@latch\u0000key.test',
    'ada\ud800@latchkey.test',
    'ada@latch\udc00key.test',
    'ada@latchkey..test',
    'ada@.latchkey.test',
    'ada@latchkey.test.',
    'ada@-latchkey.test',
    'ada@latchkey-.test',
    'ada@latch_key.test',
    'ada@latch key.test',
    'ada@latchkey.test:25',
    'ada@latchkey.test/path',
    'ada@latch%6bey.test',
    'ada@127.0.0.1',
    'ada@[127.0.0.1]',
    'ada@[::1]',
    'ada@2130706433',
    'ada@0x7f.1',
    'ada@latchkey.1',
    'ada@latchkey.test\nbcc: eve@latchkey.test',
    'ada@latchkey.test, eve@latchkey.test',
    `${LONGEST_LOCAL_PART}a@latchkey.test`,
    `ada@${LONGEST_LABEL}b.test`,
    longAddress(255),
    `${' '.repeat(1000)}ada@latchkey.test`,
    'a'.repeat(1_000_000),
  ])('of %j is none', (text) => {
    expect(canonicalEmail(text)).toBeNull();
  });

  it('is final, and can be shown, whatever single character is in the address', () => {
    const wrong: string[] = [];
    for (let codePoint = 0; codePoint <= 0xffff; codePoint += 1) {
      const character = String.fromCharCode(codePoint);
      for (const text of [`a${character}b@latchkey.test`, `ab@latch${character}key.test`, `ab@latchkey.${character}`]) {
        const email = canonicalEmail(text);
        if (email === null) continue;
        if (canonicalEmail(email) !== email || EmailAddressResolver.serialize(email) !== email) wrong.push(text);
      }
    }
    expect(wrong).toEqual([]);
  });
});

/** In labels of no more than 63 characters. */
function longAddress(length: number): string {
  const domain = `${'c'.repeat(63)}.${'d'.repeat(63)}.${'e'.repeat(62)}.`;
  return `ada@${domain}${'f'.repeat(length - domain.length - 'ada@'.length)}`;
}
