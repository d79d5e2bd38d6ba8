import type { App } from '../app.ts';
import { ValidationError } from '../errors.ts';

interface About {
  readonly email: string;
  readonly firstName: string;
  readonly lastName: string;
}

export function requireAcceptablePassword(app: App, password: string, _about: About, path: readonly string[]): void {
  if ([...password.normalize('NFC')].length >= app.config.passwordMinLength) return;
  throw new ValidationError([
    { path, code: 'TOO_SHORT', message: `At least ${app.config.passwordMinLength} characters.` },
  ]);
}
