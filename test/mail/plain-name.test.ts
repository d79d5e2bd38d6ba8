import { describe, expect, it } from 'vitest';
import { plainName } from '../../src/mail/plain-name.ts';

describe('plainName', () => {
  it.each(['Emmy Noether', 'Ọlájùmọ̀kẹ́', "Miles O'Brien", 'Jean-Luc', '岩澤 健吉', 'علی‌رضا', 'Louis 14', 'W.'])(
    'leaves a name as it is: %s',
    (name) => {
      expect(plainName(name)).toBe(name.normalize('NFC'));
    },
  );

  it.each([
    ['J.R.R. Tolkien', 'J. R. R. Tolkien'],
    ['evil.example', 'evil. example'],
    ['www.evil.example/win?now', 'www. evil. example/ win?now'],
    ['https://evil.example', 'https:// evil. example'],
    ['http://localhost', 'http:// localhost'],
    ['//evil', '// evil'],
    ['mailto:eve@evil.example', 'mailto: eve@ evil. example'],
    ['\\\\evil\\share', '\\\\ evil\\ share'],
    ['evil。example', 'evil。 example'],
    ['evil.example', 'evil. example'],
    ['evil․example', 'evil․ example'],
    ['eve＠evil：／／x', 'eve＠ evil：／／ x'],
    // UTS #46 leaves these out of a host, so a program may make a link of what has them.
    ['evil.\u2060example', 'evil. example'],
    ['evil\u200b.\u00adexample', 'evil. example'],
    ['evil.\u200dexample', 'evil. \u200dexample'],
  ])('leaves nothing of an address to make a link of: %s', (name, plain) => {
    expect(plainName(name)).toBe(plain);
  });

  it('leaves no number to call', () => {
    expect(plainName('Call +1 900 555-0100 now')).toBe('Call + - now');
    expect(plainName('Call ٠٩٠٠٥٥')).toBe('Call');
  });

  it('stays on one line, and does not turn it around', () => {
    expect(plainName('Eve\r\nBcc: everybody\u2028you\u2029now\u0000')).toBe('Eve Bcc: everybody you now');
    expect(plainName('Eve \u202eelpmaxe\u202c \u2066x\u2069')).toBe('Eve elpmaxe x');
  });

  it('has at most 60 code points, none of them halved', () => {
    expect(plainName('😀'.repeat(100))).toBe(`${'😀'.repeat(59)}…`);
    expect(plainName('x'.repeat(60))).toBe('x'.repeat(60));
  });
});
