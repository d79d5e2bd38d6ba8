// `npm run bench:peers`: the service beside others, as real processes on databases of one PostgreSQL, in turn. What is
// slow here is not a failure: people judge.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startPostgresKind } from '../databases/postgres.ts';
import { machine } from '../machine.ts';
import { memoryOf } from '../memory.ts';
import { CONNECTIONS } from '../scenario.ts';
import { withProcesses } from '../with-processes.ts';
import { betterAuth } from './better-auth/peer.ts';
import { directus } from './directus/peer.ts';
import { keystone } from './keystone/peer.ts';
import { latchkey } from './latchkey.ts';
import { type Measured, measurePeers, warmUp } from './measure-peers.ts';
import { oidcProvider } from './oidc-provider/peer.ts';
import { type PeerOptions, readPeerOptions, usage } from './options.ts';
import { type ScenarioName, scenarioNames } from './peer.ts';
import { publishPeers } from './published/publish.ts';
import { reportPeers } from './report-peers.ts';
import type { PeerResult } from './results.ts';
import { type RunningPeer, runPeer } from './running-peer.ts';

const RESULTS = join(import.meta.dirname, '..', 'results');
const SETTLING_MILLISECONDS = 1000;

const all = [latchkey, betterAuth, keystone, oidcProvider, directus];
/** What of a peer is compared, and so is measured of it right after each other. */
const together: readonly (readonly ScenarioName[])[] = [['hash', 'login'], ['me'], ['refresh']];
const names = all.map(({ name }) => name.toLowerCase());
const options = readPeerOptions(process.argv.slice(2), names) ?? showUsage();

const temporaryDirectory = mkdtempSync(join(tmpdir(), 'latchkey-bench-'));
process.on('exit', () => rmSync(temporaryDirectory, { recursive: true, force: true, maxRetries: 5 }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const { seconds, rounds } = options;
const measuredOn = machine();
const kind = await startPostgresKind(temporaryDirectory);
try {
  const peers = await measure(options);
  const results = { machine: measuredOn, database: kind.name, seconds, rounds, peers };
  mkdirSync(RESULTS, { recursive: true });
  const file = join(RESULTS, `peers-${new Date().toISOString().replaceAll(':', '-')}.json`);
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
  if (options.publish) publishPeers(results);
  process.stdout.write(`${reportPeers(results)}\n\n${file}\n`);
} finally {
  await kind.stop();
}

function showUsage(): never {
  process.stderr.write(usage(names));
  process.exit(1);
}

function measure({ peers: wanted }: PeerOptions): Promise<readonly PeerResult[]> {
  return withProcesses(async (start) => {
    const peers: RunningPeer[] = [];
    for (const peer of all.filter(({ name }) => wanted.has(name.toLowerCase()))) {
      tell(`${peer.name} ${peer.version}: start`);
      peers.push(await start(runPeer(peer, kind, CONNECTIONS)));
    }
    for (const scenario of scenarioNames) await warmUp(peers, scenario);
    const measured: ReadonlyMap<RunningPeer, Measured>[] = [];
    for (const scenarios of together) {
      for (const connections of [1, CONNECTIONS]) {
        const withStorm = scenarios.includes('login') && connections === CONNECTIONS;
        tell(
          `${[...scenarios, ...(withStorm ? ['me during a login storm'] : [])].join(', ')}; connections: ${connections}`,
        );
        measured.push(await measurePeers(peers, { scenarios, connections, withStorm }, { seconds, rounds }));
      }
    }
    await pause(SETTLING_MILLISECONDS);
    return peers.map((peer) => ({
      name: peer.name,
      version: peer.version,
      protocol: peer.protocol,
      hash: peer.hash,
      readySeconds: peer.readySeconds,
      idle: peer.idle,
      afterLoad: memoryOf(peer.process.pid),
      load: measured.flatMap((each) => each.get(peer)?.load ?? []),
      storm: measured.map((each) => each.get(peer)?.storm ?? null).find((storm) => storm !== null) ?? null,
    }));
  });
}

function tell(what: string): void {
  process.stderr.write(`${what}\n`);
}
