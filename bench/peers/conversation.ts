import type { HttpConnection } from '../http-connection.ts';
import type { Person } from '../plan.ts';

/** How a client talks to a peer. An answer that is no success throws. */
export interface Conversation {
  login(connection: HttpConnection, person: Person): Promise<Credentials>;
  /** The answer as it came; it holds the person's address. */
  me(connection: HttpConnection, credentials: Credentials): Promise<string>;
}

export interface Refreshing {
  /** New credentials for the old ones, which are worth nothing from then on. */
  refresh(connection: HttpConnection, credentials: Credentials): Promise<Credentials>;
}

export interface Credentials {
  /** Shown with every request. */
  readonly access: string;
  /** Empty where there is none. */
  readonly refresh: string;
}
