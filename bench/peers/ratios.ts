import type { Performance } from '../performance.ts';
import { CONNECTIONS } from '../scenario.ts';
import type { ScenarioName } from './peer.ts';
import type { PeerResult } from './results.ts';

/** How much more Latchkey does in a second than the best of others. */
export interface Ratio {
  readonly scenario: ScenarioName;
  readonly against: string;
  readonly ownPerSecond: number;
  readonly perSecond: number;
  readonly ratio: number;
  /** What it is to be at least. */
  readonly goal: number;
}

const OWN_NAME = 'Latchkey';

const comparisons: readonly {
  readonly scenario: ScenarioName;
  readonly goal: number;
  readonly isWith: (peer: PeerResult) => boolean;
}[] = [
  { scenario: 'login', goal: 4.6, isWith: () => true },
  { scenario: 'me', goal: 2, isWith: ({ protocol }) => protocol === 'GraphQL' },
  { scenario: 'refresh', goal: 1.5, isWith: ({ name }) => name === 'oidc-provider' },
];

/** At the most connections; none for what was not measured of both. */
export function ratiosOf(peers: readonly PeerResult[]): readonly Ratio[] {
  const own = peers.find(({ name }) => name === OWN_NAME);
  return comparisons.flatMap(({ scenario, goal, isWith }) => {
    const ownPerSecond = performanceOf(own, scenario)?.perSecond;
    const [best] = peers
      .filter((peer) => peer !== own && isWith(peer))
      .map(({ name, ...peer }) => ({ name, perSecond: performanceOf(peer, scenario)?.perSecond ?? 0 }))
      .filter(({ perSecond }) => perSecond > 0)
      .toSorted((a, b) => b.perSecond - a.perSecond);
    if (ownPerSecond === undefined || best === undefined) return [];
    const { name: against, perSecond } = best;
    return [{ scenario, against, ownPerSecond, perSecond, ratio: ownPerSecond / perSecond, goal }];
  });
}

/** Of one peer at one thing. */
export function performanceOf(
  peer: Pick<PeerResult, 'load'> | undefined,
  scenario: ScenarioName,
  connections: number = CONNECTIONS,
): Performance | undefined {
  return peer?.load.find((each) => each.scenario === scenario && each.performance.connections === connections)
    ?.performance;
}
