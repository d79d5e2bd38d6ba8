import { parseArgs } from 'node:util';

export interface PeerOptions {
  /** Their names in lower case. */
  readonly peers: ReadonlySet<string>;
  /** How long one peer is measured in one round. */
  readonly seconds: number;
  readonly rounds: number;
  /** Whether the READMEs are to show what this run finds out. */
  readonly publish: boolean;
}

export const usage = (
  names: readonly string[],
) => `npm run bench:peers -- [peer…] [--seconds N] [--rounds N] [--publish]

  peer         ${names.join(', ')}; without any: all, in about ten minutes
  --seconds    for each measurement (10), of which each peer gets one a round
  --rounds     (1)
  --publish    in the READMEs, of all peers; of an earlier run: node bench/peers/publish.ts RESULTS.json
`;

/** What the arguments ask for, or null when they ask for what is not there. */
export function readPeerOptions(args: readonly string[], names: readonly string[]): PeerOptions | null {
  const parsed = parse(args);
  if (parsed === null) return null;
  const { positionals, values } = parsed;
  const seconds = Number(values.seconds);
  const rounds = Number(values.rounds);
  const peers = new Set(positionals.length === 0 ? names : positionals);
  if (!positionals.every((name) => names.includes(name))) return null;
  if (values.publish && peers.size < names.length) return null;
  if (!(seconds > 0) || !(Number.isInteger(rounds) && rounds > 0)) return null;
  return { peers, seconds, rounds, publish: values.publish };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        seconds: { type: 'string', default: '10' },
        rounds: { type: 'string', default: '1' },
        publish: { type: 'boolean', default: false },
      },
    });
  } catch {
    return null;
  }
}
