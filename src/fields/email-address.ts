import { domainToASCII } from 'node:url';

const LOCAL_PART = /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const DOMAIN = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/;
const UNCONVERTED_DOMAIN = /^[a-z0-9.\-\u0080-\u{10ffff}]+$/u;
const ONLY_DIGITS = /^\d+$/;

const MAX_LOCAL_PART_LENGTH = 64;
const MAX_LENGTH = 254;

/**
 * The one form in which an address is stored, compared, shown and mailed to: surrounding white space removed, NFKC,
 * lower case, the domain in A-labels. Null for what we do not accept: local parts other than an ASCII dot-atom of at
 * most 64 characters, IP addresses as domains, and anything over 254 characters.
 *
 * Applying it twice changes nothing, and every result passes the API's EmailAddress scalar.
 *
 * @see RFC 5321 §4.5.3.1, RFC 5890 §2.3.2.1
 */
export function canonicalEmail(text: string): string | null {
  if (text.length > 2 * MAX_LENGTH) return null;
  const folded = text.trim().normalize('NFKC').toLowerCase();
  const at = folded.lastIndexOf('@');
  const localPart = folded.slice(0, Math.max(at, 0));
  if (localPart.length > MAX_LOCAL_PART_LENGTH || !LOCAL_PART.test(localPart)) return null;
  const domain = canonicalDomain(folded.slice(at + 1));
  if (domain === null) return null;
  const email = `${localPart}@${domain}`;
  return email.length <= MAX_LENGTH ? email : null;
}

function canonicalDomain(domain: string): string | null {
  // domainToASCII parses a whole host, so it would also take ports, paths, percent escapes and numeric addresses.
  if (!UNCONVERTED_DOMAIN.test(domain)) return null;
  const ascii = domainToASCII(domain);
  if (!DOMAIN.test(ascii)) return null;
  return ONLY_DIGITS.test(ascii.slice(ascii.lastIndexOf('.') + 1)) ? null : ascii;
}
