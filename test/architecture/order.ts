import type { Import } from './imports.ts';

/**
 * The floors of the house, from the top to the bottom. A file stands on the floor that names it, or else on that of
 * its room, and imports from its own room and from floors below.
 *
 * The plan (`main · cli → server → schema → <feature>/schema → graphql → <feature>/service → auth → app → …`) as it is
 * built: `serve.ts` starts what `server.ts` answers with the help of `http`; `<feature>/types.ts` are the API's types that
 * other features' schemas need; `audit` and `keys` need no App, which holds the keys; the configuration reads secret keys,
 * addresses and the first password, so `crypto`, `fields` and what makes a password acceptable, which know nothing of the
 * service, are below it.
 */
export const FLOORS: readonly (readonly string[])[] = [
  ['cli.ts'],
  ['cli'],
  ['main.ts'],
  ['prepare.ts'],
  ['rehearsal.ts', 'service-process.ts'],
  ['cluster.ts', 'failure.ts', 'print-schema.ts', 'serve.ts', 'until-signal.ts'],
  ['server.ts'],
  ['http'],
  ['schema.ts', 'worker.ts'],
  [
    '<feature>/schema.ts',
    'audit/schema.ts',
    'tokens/schema.ts',
    'users/administration.ts',
    'users/roles.ts',
    'invitations/administration.ts',
  ],
  ['<feature>/types.ts'],
  ['graphql'],
  ['<feature>'],
  ['mail'],
  ['tokens'],
  ['auth'],
  ['app.ts'],
  ['hooks.ts', 'jobs', 'transports'],
  ['keys'],
  ['audit'],
  ['metrics'],
  ['limits'],
  ['database', 'log.ts', 'providers'],
  ['config.ts'],
  ['config'],
  ['runtime.ts'],
  ['mail/templates.ts'],
  ['mail/language.ts'],
  ['passwords/acceptable.ts', 'passwords/common-passwords.ts', 'passwords/guessing.ts'],
  ['mail/kinds.ts', 'mail/placeholders.ts', 'crypto', 'fields', 'thread-pool.ts', 'tracing.ts'],
  ['bundle.ts'],
  ['cache-directory.ts'],
  ['errors.ts'],
];

/** Features import from those to the left of them. */
export const FEATURES: readonly string[] = [
  'sessions',
  'passwords',
  'roles',
  'users',
  'verification',
  'registration',
  'invitations',
  'email-change',
  'oauth',
  'recovery',
  'revocation-feed',
  'housekeeping',
  'restore',
];

/** The room of a file: its folder, or itself. */
export function roomOf(path: string): string {
  return path.split('/')[0] ?? path;
}

/** From 0 at the top; undefined for a file that has no place. */
export function floorOf(path: string): number | undefined {
  const room = roomOf(path);
  const names = FEATURES.includes(room) ? [path, path.replace(room, '<feature>'), '<feature>'] : [path, room];
  const floors = names.map((name) => FLOORS.findIndex((floor) => floor.includes(name)));
  return floors.find((floor) => floor !== -1);
}

/** Whether the import goes down, or to the left, or stays in its room without going up. */
export function goesDown({ from, to }: Import): boolean {
  const [upper, lower] = [floorOf(from), floorOf(to)];
  if (upper === undefined || lower === undefined || upper > lower) return false;
  const [own, other] = [roomOf(from), roomOf(to)];
  if (own === other) return true;
  if (FEATURES.includes(own) && FEATURES.includes(other)) return FEATURES.indexOf(other) < FEATURES.indexOf(own);
  return upper < lower;
}
