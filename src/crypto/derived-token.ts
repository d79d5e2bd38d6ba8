import { createHmac, timingSafeEqual } from 'node:crypto';

import { deriveMacKey, type SecretKeys } from './secret-keys.ts';

/** Each purpose has a key of its own, so a token of one never passes for another. */
export type TokenPurpose = 'refresh' | 'EMAIL_VERIFICATION' | 'EMAIL_CHANGE' | 'INVITATION' | 'PASSWORD_RESET';

export interface DerivedToken {
  /** A UUID. */
  readonly id: string;
  /** 0 to 2³² − 1. */
  readonly generation: number;
  /** What the database must still hold for the token to be genuine, such as the address it was mailed to. */
  readonly boundTo?: string;
}

export interface TokenReference {
  readonly id: string;
  readonly generation: number;
}

const version = 1;
const idOffset = 1;
const generationOffset = 17;
const macOffset = 21;
const tokenBytes = 53;
const tokenCharacters = Math.ceil((tokenBytes * 8) / 6);

/**
 * The one text that stands for this id and generation: asked again, the same, so nothing needs to be stored.
 * Base64url of version, 16-byte id, uint32 generation and a 32-byte HMAC-SHA-256 over purpose, id, generation and `boundTo`.
 */
export function deriveToken(keys: SecretKeys, purpose: TokenPurpose, token: DerivedToken): string {
  return encodeToken(keys[0], purpose, token).toString('base64url');
}

/** What a token that is bound to nothing stands for, or null for every text that was not made here for this purpose. */
export function readToken(keys: SecretKeys, purpose: TokenPurpose, text: string): TokenReference | null {
  const claimed = parseUnverifiedToken(text);
  return claimed !== null && tokenIsGenuine(keys, purpose, text, claimed) ? claimed : null;
}

/**
 * What a text claims to stand for, with nothing proven: good only for finding the row whose address
 * `tokenIsGenuine` needs. Null for what does not have the shape of a token.
 */
export function parseUnverifiedToken(text: string): TokenReference | null {
  const bytes = decodeToken(text);
  if (bytes === null) return null;
  return {
    id: formatUuid(bytes.subarray(idOffset, generationOffset)),
    generation: bytes.readUInt32BE(generationOffset),
  };
}

/** Whether the text was made here, with any key of the list, for exactly this purpose, id, generation and `boundTo`. */
export function tokenIsGenuine(keys: SecretKeys, purpose: TokenPurpose, text: string, token: DerivedToken): boolean {
  const bytes = decodeToken(text);
  return bytes !== null && keys.some((secret) => timingSafeEqual(bytes, encodeToken(secret, purpose, token)));
}

function encodeToken(secret: Buffer, purpose: TokenPurpose, token: DerivedToken): Buffer {
  const bytes = Buffer.alloc(tokenBytes);
  bytes.writeUInt8(version);
  parseUuid(token.id).copy(bytes, idOffset);
  bytes.writeUInt32BE(token.generation, generationOffset);
  // Every part has a fixed width or its length in front, so no two tokens share an input.
  const binding = token.boundTo === undefined ? [unbound] : [bound, lengthPrefixed(token.boundTo)];
  createHmac('sha256', deriveMacKey(secret, `token/${purpose}`))
    .update(Buffer.concat([lengthPrefixed(purpose), bytes.subarray(0, macOffset), ...binding]))
    .digest()
    .copy(bytes, macOffset);
  return bytes;
}

const unbound = Buffer.of(0);
const bound = Buffer.of(1);

function lengthPrefixed(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function decodeToken(text: string): Buffer | null {
  if (text.length !== tokenCharacters) return null;
  const bytes = Buffer.from(text, 'base64url');
  // Node decodes leniently. Only one text may stand for a token, or what is limited or logged by its text could be dodged.
  return bytes.toString('base64url') === text && bytes[0] === version ? bytes : null;
}

const uuidPattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function parseUuid(id: string): Buffer {
  if (!uuidPattern.test(id)) throw new TypeError('A token needs a UUID as its id');
  return Buffer.from(id.replaceAll('-', ''), 'hex');
}

function formatUuid(bytes: Buffer): string {
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
