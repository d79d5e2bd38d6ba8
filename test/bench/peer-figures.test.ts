import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readPeerOptions } from '../../bench/peers/options.ts';
import { type ScenarioName, scenarioNames } from '../../bench/peers/peer.ts';
import { PUBLISHED_RUN, readPeerRun, showings } from '../../bench/peers/published/publish.ts';
import { ratiosOf } from '../../bench/peers/ratios.ts';
import type { PeerResult } from '../../bench/peers/results.ts';
import { summarize } from '../../bench/performance.ts';
import { root } from '../docs/documents.ts';

describe('the figures beside others', () => {
  const results = readPeerRun(PUBLISHED_RUN);

  it.each(showings.map(({ file, show }) => [relative(root, file), file, show] as const))(
    'are in %s those of the published run',
    (_name, file, show) => {
      const document = readFileSync(file, 'utf8');
      expect(show(document, results)).toBe(document);
    },
  );

  it('are of every peer at all that it does', () => {
    expect(Object.fromEntries(results.peers.map(({ name, load, storm }) => [name, measured(load, storm)]))).toEqual({
      Latchkey: 'hash 1, login 1, hash 32, login 32, me 1, me 32, refresh 1, refresh 32, storm',
      'better-auth': 'hash 1, login 1, hash 32, login 32, me 1, me 32, storm',
      Keystone: 'hash 1, login 1, hash 32, login 32, me 1, me 32, storm',
      'oidc-provider': 'me 1, me 32, refresh 1, refresh 32',
      Directus: 'hash 1, login 1, hash 32, login 32, me 1, me 32, refresh 1, refresh 32, storm',
    });
  });
});

describe('what a run beside others is asked for', () => {
  const names = ['latchkey', 'keystone'];

  it('is everything, or those that are named, and is published only of all', () => {
    const all = { peers: new Set(names), seconds: 10, rounds: 1, publish: false };
    expect(readPeerOptions([], names)).toEqual(all);
    expect(readPeerOptions(['--publish'], names)).toEqual({ ...all, publish: true });
    expect(readPeerOptions(['keystone', '--seconds', '2'], names)).toEqual({
      ...all,
      peers: new Set(['keystone']),
      seconds: 2,
    });
    expect(readPeerOptions(['keystone', '--publish'], names)).toBeNull();
    expect(readPeerOptions(['nobody'], names)).toBeNull();
  });
});

describe('how Latchkey stands beside others', () => {
  it('is told by the best at login, the best that speaks GraphQL at `me`, and the OpenID provider at refresh', () => {
    const peers = [
      peer('Latchkey', 'GraphQL', { login: 50, me: 300, refresh: 120 }),
      peer('better-auth', 'REST', { login: 10, me: 500 }),
      peer('Keystone', 'GraphQL', { login: 4, me: 200 }),
      peer('oidc-provider', 'OpenID Connect', { me: 900, refresh: 80 }),
      peer('Directus', 'REST', { login: 8, me: 100, refresh: 240 }),
    ];
    expect(ratiosOf(peers)).toEqual([
      { scenario: 'login', against: 'better-auth', ownPerSecond: 50, perSecond: 10, ratio: 5, goal: 4.6 },
      { scenario: 'me', against: 'Keystone', ownPerSecond: 300, perSecond: 200, ratio: 1.5, goal: 2 },
      { scenario: 'refresh', against: 'oidc-provider', ownPerSecond: 120, perSecond: 80, ratio: 1.5, goal: 1.5 },
    ]);
  });

  it('is not told where one of the two was not measured', () => {
    const own = peer('Latchkey', 'GraphQL', { login: 50, me: 300, refresh: 120 });
    const directus = peer('Directus', 'REST', { login: 8, me: 100, refresh: 240 });
    expect(ratiosOf([own, directus]).map(({ scenario }) => scenario)).toEqual(['login']);
    expect(ratiosOf([directus])).toEqual([]);
  });
});

function measured(load: PeerResult['load'], storm: PeerResult['storm']): string {
  const loads = load.map(({ scenario, performance }) => `${scenario} ${performance.connections}`);
  return [...loads, ...(storm === null ? [] : ['storm'])].join(', ');
}

/** With so many answers a second of each kind. */
function peer(
  name: string,
  protocol: PeerResult['protocol'],
  rates: Readonly<Partial<Record<ScenarioName, number>>>,
): PeerResult {
  const memory = { residentMebibytes: 100, peakMebibytes: null };
  const load = scenarioNames.flatMap((scenario) => {
    const { [scenario]: answers } = rates;
    return answers === undefined ? [] : [{ scenario, performance: summarize(name, 32, [sampleOf(answers)]) }];
  });
  return {
    name,
    version: '1.0.0',
    protocol,
    hash: null,
    readySeconds: [1],
    idle: memory,
    afterLoad: memory,
    load,
    storm: null,
  };
}

/** Of one second. */
function sampleOf(answers: number) {
  const latenciesMilliseconds = new Float64Array(answers).fill(1);
  return { latenciesMilliseconds, elapsedSeconds: 1, processorSeconds: null, databaseProcessorSeconds: null };
}
