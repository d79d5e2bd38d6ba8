import { BlockList, isIP } from 'node:net';
import { resolve } from 'node:path';
import { canonicalEmail } from '../fields/email-address.ts';
import { canonicalLanguageTag } from '../fields/language-tag.ts';
import { loadMailTemplates, MailTemplateError, type MailTemplates } from '../mail/templates.ts';

/** Turns the text of a variable into its value, or says what it should have been. */
export type Reader<Value> = (text: string) => Value | Refused;

/**
 * What a variable must be; it follows the variable's name in a sentence. It never repeats the text that was refused:
 * that may be a secret, or a secret that was put into the wrong variable.
 */
export class Refused {
  readonly requirement: string;

  constructor(requirement: string) {
    this.requirement = requirement;
  }
}

export function oneOf<const Choice extends string>(...choices: readonly Choice[]): Reader<Choice> {
  return (text) => choices.find((choice) => choice === text) ?? new Refused(`must be ${choices.join(' or ')}`);
}

export const onOrOff: Reader<boolean> = (text) => {
  const choice = oneOf('on', 'off')(text);
  return choice instanceof Refused ? choice : choice === 'on';
};

/** True when the variable says exactly this word, which is the only thing it may say. */
export function exactly(word: string): Reader<boolean> {
  return (text) => text === word || new Refused(`must be ${word} or absent`);
}

/** Both ends included. */
export function integer(least: number, most: number): Reader<number> {
  return (text) => {
    const value = /^(?:0|[1-9]\d*)$/.test(text) ? Number(text) : Number.NaN;
    return value >= least && value <= most ? value : new Refused(`must be a whole number from ${least} to ${most}`);
  };
}

/** For what `auto` leaves to the machine. */
export function autoOr(read: Reader<number>, auto: () => number): Reader<number> {
  return (text) => {
    const value = text === 'auto' ? auto() : read(text);
    return value instanceof Refused ? new Refused(`${value.requirement}, or auto`) : value;
  };
}

/** For what 0 turns off. */
export function zeroOr(read: Reader<number>): Reader<number> {
  return (text) => {
    const value = text === '0' ? 0 : read(text);
    return value instanceof Refused ? new Refused(`${value.requirement}, or 0`) : value;
  };
}

export const path: Reader<string> = (text) => (text.trim() === '' ? new Refused('must be a path') : text);

/** Entries are trimmed; an empty one is a slip, not a value. */
export function list<Entry>(readEntry: Reader<Entry>): Reader<readonly Entry[]> {
  return (text) => {
    const entries: Entry[] = [];
    for (const entryText of splitList(text)) {
      const entry = entryText === '' ? new Refused('must be a comma-separated list') : readEntry(entryText);
      if (entry instanceof Refused) return new Refused(`${entry.requirement} (entry ${entries.length + 1})`);
      entries.push(entry);
    }
    return entries;
  };
}

export function splitList(text: string): readonly string[] {
  return text.split(',').map((entry) => entry.trim());
}

/** As much as JSON makes of the value, in bytes. */
export function atMostBytes<Value>(most: number, read: Reader<Value>): Reader<Value> {
  return (text) => {
    const value = read(text);
    if (value instanceof Refused || Buffer.byteLength(JSON.stringify(value)) <= most) return value;
    return new Refused(`must not take more than ${most} bytes`);
  };
}

export const word: Reader<string> = (text) => (/\s/.test(text) ? new Refused('must have no spaces') : text);

export const host: Reader<string> = (text) =>
  isIP(text) !== 0 || /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/i.test(text)
    ? text
    : new Refused('must be an IP address without brackets, or a host name');

export function isLoopback(hostName: string): boolean {
  const family = isIP(hostName);
  if (family === 0) return hostName.toLowerCase() === 'localhost';
  return loopback.check(hostName, family === 6 ? 'ipv6' : 'ipv4');
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/**
 * The service lives at the root of its origin: a `__Host-` cookie must have `Path=/`, and a verifier looks for the
 * well-known documents at the root. So an origin is all a base may be; a trailing slash is dropped.
 */
export const ownBase: Reader<string> = (text) =>
  parseOrigin(text.replace(/\/$/, '')) ??
  new Refused('must be an http(s) URL of scheme, host and port only: no path, query, fragment or credentials');

/** As a browser writes the `Origin` header, so that the two can be compared as they stand. */
export const exactOrigin: Reader<string> = (text) =>
  parseOrigin(text) === text
    ? text
    : new Refused('must be exact origins as a browser sends them, such as https://app.example.com: no * and no path');

/** What paths are put behind, such as `https://example.com/app`: without the slash at the end. */
export const httpBase: Reader<string> = (text) => {
  const url = /^https?:\/\/[^\s\\?#@]+$/i.test(text) ? URL.parse(text) : null;
  return url?.href.replace(/\/$/, '') ?? new Refused('must be an http(s) URL without query, fragment or credentials');
};

/** A URL in which `{token}` stands once for a one-time token; not in its host, which name servers get to see. */
export const linkTemplate: Reader<string> = (text) =>
  text.split('{token}').length === 2 &&
  /^https?:\/\/[^\s\\@/?#{]+[/?#][^\s\\@]*$/i.test(text) &&
  URL.canParse(text.replace('{token}', 'x'))
    ? text
    : new Refused('must be an http(s) URL with {token} in it once, behind its host');

function parseOrigin(text: string): string | null {
  if (!/^https?:\/\/[^\s/\\?#@*]+$/i.test(text)) return null;
  return URL.parse(text)?.origin ?? null;
}

export const postgresUrl: Reader<string> = (text) =>
  /^postgres(?:ql)?:\/\/\S+$/.test(text) && URL.canParse(text)
    ? text
    : new Refused('must be a postgresql:// URL, with special characters in the password percent-encoded');

/** In canonical form. */
export const emailAddress: Reader<string> = (text) =>
  canonicalEmail(text) ?? new Refused('must be an e-mail address that mail can be sent to');

/** `address`, or `Name <address>`, as the header `From` says it. */
export const mailbox: Reader<string> = (text) => {
  const [, name, address = text] = /^(.*?)\s*<([^<>]*)>$/.exec(text.trim()) ?? [];
  const email = canonicalEmail(address);
  // What else a name may be needs quotes.
  const isPlain = name === undefined || /^(?:[^()<>[\]:;@\\,"\p{Cc}]+|"[^"\\\p{Cc}]+")$/u.test(name);
  if (email === null || !isPlain) {
    return new Refused('must be an e-mail address, or a name and an address: Name <name@example.com>');
  }
  return name === undefined ? email : `${name} <${email}>`;
};

export const smtpUrl: Reader<string> = (text) =>
  /^smtps?:\/\/[^\s?#]+$/.test(text) && URL.parse(text)?.hostname && isDecodable(text)
    ? text
    : new Refused('must be smtp[s]://user:password@host:port, with special characters in the password percent-encoded');

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** In canonical form. */
export const languageTag: Reader<string> = (text) =>
  canonicalLanguageTag(text) ?? new Refused('must be a language tag such as en or de-AT');

/** The templates in a directory, read and checked. */
export const mailTemplatesDirectory: Reader<MailTemplates> = (text) => {
  try {
    return loadMailTemplates(resolve(text));
  } catch (error) {
    if (error instanceof MailTemplateError) return new Refused(`is refused: ${error.problems.join('; ')}`);
    throw error;
  }
};

const MOST_PASSWORD_CODE_POINTS = 256;

/** The least length is a setting of its own, and is checked beside it. */
export const administratorPassword: Reader<string> = (text) => {
  if (codePoints(text) > MOST_PASSWORD_CODE_POINTS) {
    return new Refused(`must have at most ${MOST_PASSWORD_CODE_POINTS} characters`);
  }
  return isSamplePassword(text) ? new Refused('must not be a sample or well-known password') : text;
};

/** Counted as passwords are hashed: after NFC. */
export function codePoints(text: string): number {
  return [...text.normalize('NFC')].length;
}

const samplePasswords =
  /correct ?horse ?battery ?staple|administrator|change ?(?:me|it|this)|passw[o0]rd|p@ssw[o0]rd|welcome|letmein|qwertyuiop|qwerty|abcdefgh|1234567890|12345678|secret|latchkey|example|admin/g;
const FEWEST_DISTINCT_CHARACTERS = 5;
const FEWEST_OWN_LETTERS = 8;

/** A sample stays one when it is repeated, or padded with digits, signs or a short word. */
function isSamplePassword(password: string): boolean {
  const lowerCase = password.toLowerCase().replace(/[\s._-]+/g, ' ');
  if (new Set(lowerCase).size < FEWEST_DISTINCT_CHARACTERS) return true;
  const rest = lowerCase.replace(samplePasswords, '');
  return rest !== lowerCase && rest.replace(/[^\p{L}]/gu, '').length < FEWEST_OWN_LETTERS;
}
