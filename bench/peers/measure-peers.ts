import { availableParallelism } from 'node:os';
import { readyLoad } from '../load.ts';
import { planOf, sampleLoad } from '../measure-load.ts';
import { summarize } from '../performance.ts';
import type { Sample } from '../plan.ts';
import type { PeerOptions } from './options.ts';
import type { ScenarioName } from './peer.ts';
import type { PeerLoad, Storm } from './results.ts';
import type { RunningPeer } from './running-peer.ts';

const STEADY_PER_SECOND = 100;
const WARM_UP_SECONDS = 1;
const WARM_UP_CONNECTIONS = 4;

interface Together {
  /** Of each peer right after each other, since they are compared. */
  readonly scenarios: readonly ScenarioName[];
  readonly connections: number;
  /** Whether `me` is asked for as well, at a steady rate, while everybody signs in again and again. */
  readonly withStorm: boolean;
}

export interface Measured {
  readonly load: readonly PeerLoad[];
  /** Null unless it was asked for and there is a sign-in. */
  readonly storm: Storm | null;
}

interface StormSample {
  readonly login: Sample;
  readonly me: Sample;
}

/** Everybody has done it for a while. */
export async function warmUp(peers: readonly RunningPeer[], scenario: ScenarioName): Promise<void> {
  for (const peer of peers) {
    const contender = peer.contender(scenario);
    if (contender !== null) await sampleLoad(contender, peer.people.slice(0, WARM_UP_CONNECTIONS), WARM_UP_SECONDS);
  }
}

/** All peers in turn, round after round, so that whatever else the machine does falls on all of them alike. */
export async function measurePeers(
  peers: readonly RunningPeer[],
  { scenarios, connections, withStorm }: Together,
  { seconds, rounds }: Pick<PeerOptions, 'seconds' | 'rounds'>,
): Promise<ReadonlyMap<RunningPeer, Measured>> {
  const turns = peers.map((peer) => ({
    peer,
    samples: new Map<ScenarioName, Sample[]>(scenarios.map((scenario) => [scenario, []])),
    storms: [] as StormSample[],
  }));
  for (let round = 1; round <= rounds; round += 1) {
    for (const { peer, samples, storms } of turns) {
      for (const [scenario, taken] of samples)
        taken.push(...(await sampleScenario(peer, scenario, connections, seconds)));
      if (withStorm) storms.push(...(await sampleStorm(peer, connections, seconds)));
    }
  }
  return new Map(
    turns.map(({ peer, samples, storms }) => {
      const summary = (taken: readonly Sample[]) => summarize(peer.name, connections, taken);
      const load = Array.from(samples)
        .filter(([, taken]) => taken.length > 0)
        .map(([scenario, taken]) => ({ scenario, performance: summary(taken) }));
      const [login, me] = [storms.map((each) => each.login), storms.map((each) => each.me)];
      return [peer, { load, storm: storms.length === 0 ? null : { login: summary(login), me: summary(me) } }];
    }),
  );
}

/** None of what it does not do. */
async function sampleScenario(
  peer: RunningPeer,
  scenario: ScenarioName,
  connections: number,
  seconds: number,
): Promise<readonly Sample[]> {
  const contender = peer.contender(scenario);
  if (contender === null) return [];
  // More hashes in flight than cores gain nothing.
  const concurrency = scenario === 'hash' ? Math.min(connections, availableParallelism()) : connections;
  return [await sampleLoad(contender, peer.people.slice(0, concurrency), seconds)];
}

async function sampleStorm(peer: RunningPeer, connections: number, seconds: number): Promise<readonly StormSample[]> {
  const login = peer.contender('login');
  const me = peer.contender('me');
  if (login === null || me === null) return [];
  const people = peer.people.slice(0, connections);
  const steady = await readyLoad(me.client, { ...planOf(me, people, seconds), perSecond: STEADY_PER_SECOND });
  const storm = await readyLoad(login.client, planOf(login, people, seconds));
  const [ofLogin, ofMe] = await Promise.all([storm.run(), steady.run()]);
  return [{ login: ofLogin, me: ofMe }];
}
