import type { Memory } from '../memory.ts';
import type { Performance } from '../performance.ts';
import type { Machine } from '../results.ts';
import type { Peer, ScenarioName } from './peer.ts';

/** All that a run found out. */
export interface PeerResults {
  readonly machine: Machine;
  readonly database: string;
  readonly seconds: number;
  readonly rounds: number;
  readonly peers: readonly PeerResult[];
}

export interface PeerResult extends Pick<Peer, 'name' | 'version' | 'protocol' | 'hash'> {
  /** From the start of the process to its first answer, of each start on a database that has all its tables. */
  readonly readySeconds: readonly number[];
  /** A second after it was ready. */
  readonly idle: Memory;
  /** A second after the last of all that was asked of it. */
  readonly afterLoad: Memory;
  readonly load: readonly PeerLoad[];
  /** `me` at a steady rate while all connections sign in; null for who has no sign-in. */
  readonly storm: Storm | null;
}

export interface PeerLoad {
  readonly scenario: ScenarioName;
  readonly performance: Performance;
}

export interface Storm {
  readonly login: Performance;
  /** Latencies count from when each was to be sent. */
  readonly me: Performance;
}
