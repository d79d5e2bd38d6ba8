import type { Location } from '../databases/database.ts';
import type { Person } from '../plan.ts';
import type { ServerProcess } from '../server-process.ts';

/** Who is measured: a server of its own on a database of its own. */
export interface Peer {
  readonly name: string;
  readonly version: string;
  /** What `me` is asked through. */
  readonly protocol: 'GraphQL' | 'REST' | 'OpenID Connect';
  /** What it makes of a password, with its parameters; null where it knows no passwords. */
  readonly hash: string | null;
  /** The program that makes the load, seen from `bench/`; none for what it does not do. */
  readonly clients: Readonly<Partial<Record<ScenarioName, string>>>;
  /** The tables are there, and so many people can sign in. */
  prepare(database: Location, count: number): Promise<readonly Person[]>;
  /** Ready to answer, as its makers start it in production. */
  start(database: Location): Promise<ServerProcess>;
}

/** `hash` is the least that `login` can do: the check of a password and nothing else. */
export const scenarioNames = ['hash', 'login', 'me', 'refresh'] as const;
export type ScenarioName = (typeof scenarioNames)[number];
