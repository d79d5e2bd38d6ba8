import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ValidationError } from '../../src/errors.ts';
import { commonPasswords } from '../../src/passwords/common-passwords.ts';
import { requireAcceptablePassword } from '../../src/passwords/policy.ts';
import { startTestService, type TestService } from '../support/service.ts';

const ada = { email: 'ada.lovelace@analytical.example', firstName: 'Ada', lastName: 'Lovelace' };

let service: TestService;
beforeAll(async () => {
  service = await startTestService({ environment: { PUBLIC_URL: 'https://accounts.acme-tools.example' } });
});
afterAll(() => service.close());

/** The codes of what is wrong with the password as Ada's. */
function codesFor(password: string, minLength = 15, about = ada): readonly string[] {
  const { app } = service;
  try {
    requireAcceptablePassword({ ...app, config: { ...app.config, passwordMinLength: minLength } }, password, about, []);
    return [];
  } catch (error) {
    if (error instanceof ValidationError) return error.fields.map(({ code }) => code);
    throw error;
  }
}

describe('requireAcceptablePassword', () => {
  it.each([
    ['a phrase', 'correct horse battery staple'],
    ['three small words', 'seventeen little goats'],
    ['what a generator makes', 'k7#Qp2xZ!mR4vT9w'],
    ['fifteen digits by chance', '839201847261039'],
    ['spaces at the ends, which count', '   blue  ostrich'],
    ['only small letters', 'jgqwmzrbkxvhtpd'],
    ['Cyrillic', 'медленный верблюд'],
    ['Chinese', '我的密码是一个很长的句子没人猜'],
    ['Devanagari', 'धीरे चलने वाला ऊँट'],
    ['emoji', '🦄🐙🌵🥁🧩🚲🪁🧊🦔🍄🪐🧵🫖🪃🦩'],
    ['control characters', 'tab\tbell\u0007nul\0escape\u001b'],
    ['256 code points', `${'fjord bank glyphs vex quiz! '.repeat(9)}kwmx`],
    ['a name in a longer phrase', 'Ada Lovelace sails slowly to Antwerp'],
  ])('accepts %s', (_, password) => {
    expect(codesFor(password)).toEqual([]);
  });

  it.each([
    ['nothing', ''],
    ['14 characters', 'k7#Qp2xZ!mR4vT'],
    ['14 letters typed as letter and accent', 'e\u0301a\u0301o\u0301u\u0301i\u0301n\u0303c\u0327'.repeat(2)],
    ['14 emoji, each two units long', '🦄🐙🌵🥁🧩🚲🪁🧊🦔🍄🪐🧵🫖🪃'],
  ])('refuses %s as too short', (_, password) => {
    expect(codesFor(password)).toEqual(['TOO_SHORT']);
  });

  it.each([
    ['257 code points', `${'fjord bank glyphs vex quiz! '.repeat(9)}kwmxy`],
    ['257 emoji', '🦄🐙🌵🥁🧩🚲🪁'.repeat(37).slice(0, 2 * 257)],
    ['a megabyte', 'fjord bank '.repeat(100_000)],
  ])('refuses %s as too long', (_, password) => {
    expect(codesFor(password)).toEqual(['TOO_LONG']);
  });

  it('refuses half a character', () => {
    expect(codesFor('seventeen goats \ud83e')).toEqual(['INVALID_CHARACTERS']);
  });

  it.each([
    ['from the list', 'mailcreated5240'],
    ['from the list, in other case', 'StairwayToHeaven'],
    ['from the list, in full width', 'ｓｔａｉｒｗａｙｔｏｈｅａｖｅｎ'],
    ['the alphabet', 'abcdefghijklmnop'],
    ['the digits', '123456789012345'],
    ['the digits downwards', '9876543210987654'],
    ['the rows of a keyboard', 'qwertyuiopasdfgh'],
    ['the rows of a German keyboard', 'qwertzuiopasdfgh'],
    ['the rows of a French keyboard', 'azertyuiopqsdfgh'],
    ['the columns of a keyboard', '1qaz2wsx3edc4rfv'],
    ['two rows side by side', '1q2w3e4r5t6y7u8i'],
    ['doubled digits', '112233445566778800'],
    ['letters three by three', 'aaabbbcccdddeeefff'],
    ['a common password and a sequence', 'password123456789'],
    ['a common password, a year and signs', 'Password2024!!!!'],
    ['a common password with digits for letters', 'P@ssw0rdP@ssw0rd1'],
    ['two common passwords', 'dragon-sunshine'],
    ['a common password over and over, and something behind', `${'password '.repeat(28)}zz`],
    ['one character, and little behind', 'aaaaaaaaaaaaaB1!x'],
  ])('refuses what everybody tries first: %s', (_, password) => {
    expect(codesFor(password)).toEqual(['TOO_COMMON']);
  });

  it.each([
    ['one character', 'a'.repeat(256)],
    ['two characters in turn', 'xy'.repeat(20)],
    ['a word over and over', 'blimpblimpblimp'],
    ['a word over and over, broken off', 'blimpblimpblimpbl'],
    ['a phrase twice', 'my slow old camelmy slow old camel'],
    ['in other case each time', 'BlimpblimpBLIMP'],
    ['hardly any different characters', 'aabbaabbabab aabb'],
    ['one emoji', '🦄'.repeat(15)],
  ])('refuses one pattern over and over: %s', (_, password) => {
    expect(codesFor(password)).toEqual(['REPEATED_PATTERN']);
  });

  it.each([
    ['the address', 'ada.lovelace@analytical.example'],
    ['the address, in other case', 'Ada.Lovelace@Analytical.Example'],
    ['the local part and digits', 'ada.lovelace1234'],
    ['the names and a year', 'Ada Lovelace 1815!'],
    ['the names together', 'LovelaceAda12345'],
    ['the names with digits for letters', 'L0v3l4c3L0v3l4c3!Ada'],
    ['the name of the service', 'latchkey latchkey 1'],
    ['the name of the service and of the person', 'lovelace-ada-latchkey-2024'],
    ['the host of the service', 'accounts.acme-tools.example'],
    ['a name and a common password', 'lovelace password'],
  ])('refuses what is known of the person and the service: %s', (_, password) => {
    expect(codesFor(password)).toEqual(['CONTAINS_PERSONAL_DATA']);
  });

  it('sees through accents in names', () => {
    const zoe = { email: 'z@analytical.example', firstName: 'Zo\u00eb', lastName: 'G\u00f3mez M\u00fcller' };
    expect(codesFor('zoe gomez muller', 15, zoe)).toEqual(['CONTAINS_PERSONAL_DATA']);
    expect(codesFor('Zoe\u0308 Go\u0301mez Mu\u0308ller', 15, zoe)).toEqual(['CONTAINS_PERSONAL_DATA']);
  });

  it.each([
    ['k7#Qp2xZ', []],
    ['hunter22', ['TOO_COMMON']],
    ['letmein1', ['TOO_COMMON']],
    ['qwertyui', ['TOO_COMMON']],
    ['abcdabcd', ['REPEATED_PATTERN']],
    ['lovelace', ['CONTAINS_PERSONAL_DATA']],
    ['k7#Qp2x', ['TOO_SHORT']],
  ])('makes sense where 8 characters are enough: %s', (password, codes) => {
    expect(codesFor(password, 8)).toEqual(codes);
  });

  it('says where the problem is, in words for a person', () => {
    const check = () => requireAcceptablePassword(service.app, 'too short', ada, ['input', 'newPassword']);
    expect(check).toThrow(
      expect.objectContaining({
        fields: [{ path: ['input', 'newPassword'], code: 'TOO_SHORT', message: 'At least 15 characters.' }],
      }),
    );
  });

  it.each([8, 10, 12, 15])('knows more than 3,000 common passwords of %i characters and more', (minLength) => {
    const { blocked } = commonPasswords(minLength);
    expect([...blocked].filter((password) => password.length >= minLength).length).toBeGreaterThan(3000);
  });

  it.each([
    ['a ligature that stands for 18 letters', '\ufdfa\ufdfb'.repeat(128)],
    ['one character', `${'a'.repeat(250)}bcd$%&`],
    ['a word', `${'password'.repeat(31)}zebra!x7`],
    ['digits that stand for letters', `${'4@8({[<369&#!'.repeat(19)}x`],
    ['a name', `${'ada.lovelace '.repeat(19)}x`],
  ])('keeps nobody waiting for 256 characters of %s', (_, password) => {
    const times = Array.from({ length: 5 }, () => {
      const start = performance.now();
      codesFor(password);
      return performance.now() - start;
    });
    // The best of several: the machine may do something else meanwhile.
    expect(Math.min(...times)).toBeLessThan(250);
  });
});
