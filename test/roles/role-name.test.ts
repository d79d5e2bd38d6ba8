import { describe, expect, it } from 'vitest';
import { roleNameKey } from '../../src/roles/service.ts';

const LAST_CODE_POINT = 0x10ffff;

describe('the form in which names of roles are compared', () => {
  it('is the same for every character in each of its cases, and for itself', () => {
    const different: string[] = [];
    for (let codePoint = 0; codePoint <= LAST_CODE_POINT; codePoint += 1) {
      const character = String.fromCodePoint(codePoint);
      const key = roleNameKey(character);
      const forms = [character.toUpperCase(), character.toLowerCase(), key ?? character];
      if (forms.some((form) => roleNameKey(form) !== key)) different.push(codePoint.toString(16));
    }
    expect(different).toEqual([]);
  });

  it.each([
    ['ΟΔΟΣ', 'οδος', 'οδοσ'],
    ['Straße', 'STRASSE', 'straſſe'],
    ['Office', 'oﬃce', 'ＯＦＦＩＣＥ'],
    ['Zoë', 'ZOE\u0308'],
  ])('is one for %s and %s', (...names) => {
    expect(new Set(names.map(roleNameKey)).size).toBe(1);
  });
});
