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

type Duration = Pick<PeerOptions, 'seconds' | 'rounds'>;

/** Everybody has done it for a while. */
export async function warmUp(peers: readonly RunningPeer[], scenario: ScenarioName): Promise<void> {
  for (const peer of peers) {
    const contender = peer.contender(scenario);
    if (contender !== null) await sampleLoad(contender, peer.people.slice(0, WARM_UP_CONNECTIONS), WARM_UP_SECONDS);
  }
}

/** All peers in turn, round after round, so that whatever else the machine does falls on all of them alike. */
export async function measureScenario(
  peers: readonly RunningPeer[],
  scenario: ScenarioName,
  connections: number,
  { seconds, rounds }: Duration,
): Promise<ReadonlyMap<RunningPeer, PeerLoad>> {
  // More hashes in flight than cores gain nothing.
  const concurrency = scenario === 'hash' ? Math.min(connections, availableParallelism()) : connections;
  const samples = new Map<RunningPeer, Sample[]>();
  for (let round = 1; round <= rounds; round += 1) {
    for (const peer of peers) {
      const contender = peer.contender(scenario);
      if (contender === null) continue;
      const sample = await sampleLoad(contender, peer.people.slice(0, concurrency), seconds);
      samples.set(peer, [...(samples.get(peer) ?? []), sample]);
    }
  }
  return new Map(
    Array.from(samples, ([peer, taken]) => [peer, { scenario, performance: summarize(peer.name, connections, taken) }]),
  );
}

/** How `me` fares at a steady rate while everybody signs in, again and again. */
export async function measureStorm(
  peers: readonly RunningPeer[],
  { seconds, rounds }: Duration,
): Promise<ReadonlyMap<RunningPeer, Storm>> {
  const samples = new Map<RunningPeer, { readonly login: Sample[]; readonly me: Sample[] }>();
  for (let round = 1; round <= rounds; round += 1) {
    for (const peer of peers) {
      const login = peer.contender('login');
      const me = peer.contender('me');
      if (login === null || me === null) continue;
      const steady = await readyLoad(me.client, {
        ...planOf(me, peer.people, seconds),
        perSecond: STEADY_PER_SECOND,
      });
      const storm = await readyLoad(login.client, planOf(login, peer.people, seconds));
      const [ofLogin, ofMe] = await Promise.all([storm.run(), steady.run()]);
      const taken = samples.get(peer) ?? { login: [], me: [] };
      taken.login.push(ofLogin);
      taken.me.push(ofMe);
      samples.set(peer, taken);
    }
  }
  return new Map(
    Array.from(samples, ([peer, taken]) => [
      peer,
      {
        login: summarize(peer.name, peer.people.length, taken.login),
        me: summarize(peer.name, peer.people.length, taken.me),
      },
    ]),
  );
}
