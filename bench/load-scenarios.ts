import { availableParallelism } from 'node:os';

export interface LoadScenario {
  readonly name: string;
  /** The program that loads the service. */
  readonly client: string;
  readonly floors: readonly Floor[];
}

/** The least that the same thing can cost. */
export interface Floor {
  readonly name: string;
  readonly client: string;
  /** The server of the floors that its program asks; null when the program does the work itself. */
  readonly server: FloorProgram | null;
  /** No more at once than this. */
  readonly mostAtOnce?: number;
}

export type FloorProgram = 'http-server.ts' | 'yoga-server.ts';

/** The floor that ratios are about: the same operation, hand-written, for the very client that loads the service. */
const yoga = (what: string, client: string): Floor => ({ name: `Yoga + ${what}`, client, server: 'yoga-server.ts' });

const HTTP_SELECT: Floor = {
  name: 'node:http + pg: SELECT by primary key',
  client: 'floors/http-me.ts',
  server: 'http-server.ts',
};

export const loadScenarios: readonly LoadScenario[] = [
  {
    name: 'login',
    client: 'clients/crowd-login.ts',
    floors: [
      yoga('argon2 + pg', 'clients/crowd-login.ts'),
      { name: 'argon2', client: 'floors/argon2.ts', server: null, mostAtOnce: availableParallelism() },
      { name: 'node:http + argon2', client: 'floors/http-login.ts', server: 'http-server.ts' },
    ],
  },
  {
    name: 'refresh',
    client: 'clients/refresh.ts',
    floors: [
      yoga('pg', 'clients/refresh.ts'),
      { name: 'pg: the UPDATE', client: 'floors/update.ts', server: null },
      { name: 'node:http + pg: the UPDATE', client: 'floors/http-refresh.ts', server: 'http-server.ts' },
    ],
  },
  { name: 'me', client: 'clients/me.ts', floors: [yoga('pg', 'clients/me.ts'), HTTP_SELECT] },
  { name: 'me-with-roles', client: 'clients/me-with-roles.ts', floors: [HTTP_SELECT] },
];
