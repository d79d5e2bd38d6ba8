import type { Plan } from '../plan.ts';

/** Where a process finds its database, in the service's own terms. */
export type Location = Plan['database'];

/** A kind of database to measure on. */
export interface DatabaseKind {
  readonly name: string;
  /** Of the server; null when the database lives in the service. */
  readonly pid: number | null;
  /** One with nothing in it, not even tables. */
  create(): Promise<Location>;
  /** The same for one more process; a copy where two cannot have one. Nobody has it open at the moment. */
  share(location: Location): Promise<Location>;
  stop(): Promise<void>;
}
