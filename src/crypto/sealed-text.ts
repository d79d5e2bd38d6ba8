import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

import { deriveKey, type SecretKeys } from './secret-keys.ts';

const algorithm = 'aes-256-gcm';
const prefix = 'v1.';
const nonceBytes = 12;
const tagBytes = 16;

/**
 * A text that only a holder of the first key can read or alter, and only together with the same `context`.
 * The nonce is random: one secret may seal some 2³² texts for a purpose.
 *
 * @see NIST SP 800-38D §8.3
 */
export function sealText(keys: SecretKeys, purpose: string, context: string, text: string): string {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(algorithm, deriveKey(keys[0], purpose), nonce, { authTagLength: tagBytes });
  cipher.setAAD(Buffer.from(context));
  const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return prefix + sealed.toString('base64url');
}

/** The text that was sealed with any key of the list, or null when none opens it. */
export function openSealedText(keys: SecretKeys, purpose: string, context: string, sealedText: string): string | null {
  if (!sealedText.startsWith(prefix)) return null;
  const sealed = Buffer.from(sealedText.slice(prefix.length), 'base64url');
  if (sealed.length < nonceBytes + tagBytes) return null;
  for (const secret of keys) {
    const text = openWith(deriveKey(secret, purpose), context, sealed);
    if (text !== null) return text;
  }
  return null;
}

function openWith(key: Buffer, context: string, sealed: Buffer): string | null {
  const decipher = createDecipheriv(algorithm, key, sealed.subarray(0, nonceBytes), { authTagLength: tagBytes });
  decipher.setAAD(Buffer.from(context));
  decipher.setAuthTag(sealed.subarray(-tagBytes));
  const text = decipher.update(sealed.subarray(nonceBytes, -tagBytes));
  try {
    return Buffer.concat([text, decipher.final()]).toString('utf8');
  } catch {
    return null;
  }
}
