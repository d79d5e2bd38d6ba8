import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { isLoopback, type Reader, Refused } from './readers.ts';

/** An OpenID Connect issuer whose ID tokens sign people in. */
export interface OAuthProvider {
  /** How clients call it. */
  readonly name: string;
  /** Exactly as its tokens have it in `iss`. */
  readonly issuer: string;
  /** The client ids that its tokens may be for; at least one. */
  readonly audience: readonly string[];
  /** Where its keys are. Null: its discovery document says so. */
  readonly jwksUri: string | null;
  /** Whether a person without an account gets one. */
  readonly autoCreate: boolean;
  /** Whether the hosts that are written here may have private addresses although their names do not say so. */
  readonly privateNetwork: boolean;
}

/** The issuers of providers that need no more than their name. */
const PRESETS: Readonly<Record<string, string>> = {
  apple: 'https://appleid.apple.com',
  gitlab: 'https://gitlab.com',
  google: 'https://accounts.google.com',
  slack: 'https://slack.com',
  twitch: 'https://id.twitch.tv/oauth2',
  yahoo: 'https://api.login.yahoo.com',
};

const MOST_PROVIDERS = 50;
const MOST_AUDIENCES = 50;
const MICROSOFT = /^https:\/\/login\.microsoftonline\.com\//;
const MICROSOFT_TENANT =
  /^https:\/\/login\.microsoftonline\.com\/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\/v2\.0$/;
const ONE_TENANT = 'must name one tenant by its id: https://login.microsoftonline.com/TENANT-ID/v2.0';

/**
 * The providers of a JSON array, each problem of each of them in one sentence. A preset's issuer is filled in.
 *
 * Microsoft's issuers for all tenants at once are refused: their tokens name the tenant in place of that issuer, and
 * any tenant's administrator can write any address into a token.
 */
export const oauthProviders: Reader<readonly OAuthProvider[]> = (text) => {
  const json = parseJson(text);
  if (!Array.isArray(json)) return new Refused('must be a JSON array of providers');
  const result = providersSchema.safeParse(json.map(withPreset));
  if (result.success) return result.data.map((provider) => Object.freeze(provider));
  return new Refused(result.error.issues.map(sentenceOf).join('; '));
};

/** Whether everything that is asked of these providers is asked over https. */
export function areHttps(providers: readonly OAuthProvider[]): boolean {
  return providers.every(({ issuer, jwksUri }) => [issuer, jwksUri ?? issuer].every((url) => url.startsWith('https:')));
}

/** Whether the host is a private or loopback address and says so itself, without a name server. */
export function isPrivateByName(hostName: string): boolean {
  const host = hostName.replace(/^\[|\]$/g, '');
  return isLoopback(host) || (ipaddr.isValid(host) && ipaddr.process(host).range() !== 'unicast');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function withPreset(entry: unknown): unknown {
  if (typeof entry !== 'object' || entry === null || !('name' in entry) || 'issuer' in entry) return entry;
  const issuer = typeof entry.name === 'string' && Object.hasOwn(PRESETS, entry.name) ? PRESETS[entry.name] : undefined;
  return issuer === undefined ? entry : { ...entry, issuer };
}

const address = z.string({ error: 'must be a URL' }).superRefine((text, context) => {
  const problem = problemOfUrl(text);
  if (problem !== null) context.addIssue({ code: 'custom', message: problem });
});

const providerSchema = z.strictObject(
  {
    name: z
      .string({ error: 'is required' })
      .regex(/^[a-z0-9][a-z0-9_-]{0,31}$/, 'must be 1 to 32 lower-case letters, digits, - and _'),
    issuer: z
      .string({ error: `is required: only ${Object.keys(PRESETS).join(', ')} are known by name` })
      .superRefine((text, context) => {
        const problem = MICROSOFT.test(text) && !MICROSOFT_TENANT.test(text) ? ONE_TENANT : problemOfUrl(text);
        if (problem !== null) context.addIssue({ code: 'custom', message: problem });
      }),
    audience: z
      .array(z.string().regex(/^\S{1,255}$/), { error: 'must be a list of client ids' })
      .min(1, 'must have at least one client id')
      .max(MOST_AUDIENCES, `must have at most ${MOST_AUDIENCES} client ids`),
    jwksUri: address.nullish().transform((url) => url ?? null),
    autoCreate: z.boolean({ error: 'must be true or false' }).default(false),
    privateNetwork: z.boolean({ error: 'must be true or false' }).default(false),
  },
  {
    error: ({ code }) =>
      code === 'unrecognized_keys'
        ? 'may have name, issuer, audience, jwksUri, autoCreate and privateNetwork, and nothing else'
        : 'must be an object',
  },
);

const providersSchema = z
  .array(providerSchema)
  .max(MOST_PROVIDERS, `must name at most ${MOST_PROVIDERS} providers`)
  .superRefine((providers, context) => {
    for (const field of ['name', 'issuer'] as const) {
      const values = providers.map((provider) => provider[field]);
      const repeated = values.findIndex((value, index) => values.indexOf(value) < index);
      // Which provider an identity belongs to is told by its issuer.
      if (repeated !== -1) context.addIssue({ code: 'custom', path: [repeated, field], message: 'is there twice' });
    }
  });

function problemOfUrl(text: string): string | null {
  const url = /^https?:\/\/[^\s\\?#@]+$/.test(text) ? URL.parse(text) : null;
  if (url === null) return 'must be a URL without query, fragment or credentials';
  // It is compared as it stands with what tokens say.
  if (url.href !== text && url.href !== `${text}/`) return 'must be written as URLs are: lower case, no default port';
  if (url.protocol === 'http:' && !isLoopback(url.hostname.replace(/^\[|\]$/g, ''))) {
    return 'must be https, unless its host is a loopback address';
  }
  return null;
}

function sentenceOf({ path: [index, field], message }: z.core.$ZodIssue): string {
  if (typeof index !== 'number') return message;
  const place = `entry ${index + 1}`;
  return field === undefined ? `${message} (${place})` : `${String(field)} ${message} (${place})`;
}
