import { expect, it } from 'vitest';
import { serviceName } from '../../src/mail/sender.ts';

it.each([
  ['Latchkey <no-reply@localhost>', 'Latchkey'],
  ['"Example, Ltd." <accounts@example.com>', 'Example, Ltd.'],
  ['accounts@example.com', 'example.com'],
  ['<accounts@example.com>', 'example.com'],
])('mails from %s call the service %s', (from, name) => {
  expect(serviceName(from)).toBe(name);
});
