import { describe, expect, it } from 'vitest';
import { maskEmail } from '../../src/recovery/preview.ts';

describe('maskEmail', () => {
  it.each([
    ['ada@example.org', 'a•••@e•••.org'],
    ['a.very.long.name.of.somebody@example.org', 'a•••@e•••.org'],
    ['a@b.c', 'a•••@b•••.c'],
    ['ada@mail.department.example.co.uk', 'a•••@m•••.uk'],
    ['admin@localhost', 'a•••@l•••'],
    ['ada@xn--bcher-kva.example', 'a•••@x•••.example'],
    ['!#$%@example.org', '!•••@e•••.org'],
  ])('shows %s as %s', (email, masked) => {
    expect(maskEmail(email)).toBe(masked);
  });
});
