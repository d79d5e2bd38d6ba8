import { setTimeout as pause } from 'node:timers/promises';
import type { Location } from '../databases/database.ts';
import type { PostgresKind } from '../databases/postgres.ts';
import type { Contender } from '../measure-load.ts';
import { type Memory, memoryOf } from '../memory.ts';
import type { Person } from '../plan.ts';
import type { ServerProcess } from '../server-process.ts';
import type { Peer, ScenarioName } from './peer.ts';

export interface RunningPeer extends Peer {
  readonly people: readonly Person[];
  readonly process: ServerProcess;
  readonly readySeconds: readonly number[];
  readonly idle: Memory;
  /** Null for what it does not do. */
  contender(scenario: ScenarioName): Contender | null;
  stop(): Promise<void>;
}

const STARTS = 3;
const SETTLING_MILLISECONDS = 1000;

/** Started as often as it takes to know how long that takes, on a database where so many people can sign in. */
export async function runPeer(peer: Peer, kind: PostgresKind, count: number): Promise<RunningPeer> {
  const database = await kind.create();
  const people = await peer.prepare(database, count);
  const readySeconds: number[] = [];
  while (readySeconds.length < STARTS - 1) {
    const started = await peer.start(database);
    readySeconds.push(started.readySeconds);
    await started.stop();
  }
  const process = await peer.start(database);
  readySeconds.push(process.readySeconds);
  await pause(SETTLING_MILLISECONDS);
  return {
    ...peer,
    people,
    process,
    readySeconds,
    idle: memoryOf(process.pid),
    contender: (scenario) => contenderOf(peer, scenario, { kind, database, process }),
    stop: () => process.stop(),
  };
}

interface Place {
  readonly kind: PostgresKind;
  readonly database: Location;
  readonly process: ServerProcess;
}

function contenderOf(
  { name, clients }: Peer,
  scenario: ScenarioName,
  { kind, database, process: { url, pid } }: Place,
): Contender | null {
  const client = clients[scenario];
  if (client === undefined) return null;
  return { name, client, url, pid: scenario === 'hash' ? null : pid, databasePid: kind.pid, database };
}
