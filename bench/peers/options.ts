import { parseArgs } from 'node:util';

export interface PeerOptions {
  readonly peers: ReadonlySet<string>;
  /** How long one peer is measured in one round. */
  readonly seconds: number;
  readonly rounds: number;
}

export const usage = (names: readonly string[]) => `npm run bench:peers -- [peer…] [--seconds N] [--rounds N]

  peer         ${names.join(', ')}; without any: all, in about ten minutes
  --seconds    for each measurement (3), of which each peer gets one a round
  --rounds     (2)
`;

/** What the arguments ask for, or null when they ask for what is not there. */
export function readPeerOptions(args: readonly string[], names: readonly string[]): PeerOptions | null {
  const parsed = parse(args);
  if (parsed === null) return null;
  const seconds = Number(parsed.values.seconds);
  const rounds = Number(parsed.values.rounds);
  if (!parsed.positionals.every((name) => names.includes(name))) return null;
  if (!(seconds > 0) || !(Number.isInteger(rounds) && rounds > 0)) return null;
  return { peers: new Set(parsed.positionals.length === 0 ? names : parsed.positionals), seconds, rounds };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { seconds: { type: 'string', default: '3' }, rounds: { type: 'string', default: '2' } },
    });
  } catch {
    return null;
  }
}
