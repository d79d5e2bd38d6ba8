import * as crypto from 'node:crypto';
import { expect, it, vi } from 'vitest';
import { developmentSecretKey, readSecretKeys } from '../src/config/secret-key.ts';
import { temporaryDirectory } from './support/process.ts';

vi.mock('node:crypto', { spy: true });

it('is drawn again when chance has drawn one that would be refused', () => {
  const secret = Buffer.from('+8rH/secret/kQ2mZ0vT4xN7yBqLwE9uJ1oPdA3sGhU=', 'base64');
  vi.mocked<(size: number) => Buffer>(crypto.randomBytes).mockReturnValueOnce(secret);
  const text = developmentSecretKey(temporaryDirectory());
  expect(crypto.randomBytes).toHaveBeenCalledTimes(2);
  expect(readSecretKeys(text)).toEqual([Buffer.from(text, 'base64')]);
});
