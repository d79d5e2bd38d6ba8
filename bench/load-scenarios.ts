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
  /** Whether its program asks the floors' server rather than doing the work itself. */
  readonly overHttp: boolean;
  /** No more at once than this. */
  readonly mostAtOnce?: number;
}

const HTTP_SELECT: Floor = {
  name: 'node:http + pg: SELECT by primary key',
  client: 'floors/http-me.ts',
  overHttp: true,
};

export const loadScenarios: readonly LoadScenario[] = [
  {
    name: 'login',
    client: 'clients/login.ts',
    floors: [
      { name: 'argon2', client: 'floors/argon2.ts', overHttp: false, mostAtOnce: availableParallelism() },
      { name: 'node:http + argon2', client: 'floors/http-login.ts', overHttp: true },
    ],
  },
  {
    name: 'refresh',
    client: 'clients/refresh.ts',
    floors: [
      { name: 'pg: the UPDATE', client: 'floors/update.ts', overHttp: false },
      { name: 'node:http + pg: the UPDATE', client: 'floors/http-refresh.ts', overHttp: true },
    ],
  },
  { name: 'me', client: 'clients/me.ts', floors: [HTTP_SELECT] },
  { name: 'me-with-roles', client: 'clients/me-with-roles.ts', floors: [HTTP_SELECT] },
];
