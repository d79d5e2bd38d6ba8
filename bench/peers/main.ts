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
import { measureScenario, measureStorm, warmUp } from './measure-peers.ts';
import { oidcProvider } from './oidc-provider/peer.ts';
import { type PeerOptions, readPeerOptions, usage } from './options.ts';
import { scenarioNames } from './peer.ts';
import { reportPeers } from './report-peers.ts';
import type { PeerLoad, PeerResult } from './results.ts';
import { type RunningPeer, runPeer } from './running-peer.ts';

const RESULTS = join(import.meta.dirname, '..', 'results');
const SETTLING_MILLISECONDS = 1000;

const all = [latchkey, betterAuth, keystone, oidcProvider, directus];
const names = all.map(({ name }) => name);
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
  process.stdout.write(`${reportPeers(results)}\n`);
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
    for (const peer of all.filter(({ name }) => wanted.has(name))) {
      tell(`${peer.name} ${peer.version}: start`);
      peers.push(await start(runPeer(peer, kind, CONNECTIONS)));
    }
    const loads: ReadonlyMap<RunningPeer, PeerLoad>[] = [];
    for (const scenario of scenarioNames) {
      await warmUp(peers, scenario);
      for (const connections of [1, CONNECTIONS]) {
        tell(`${scenario}, connections: ${connections}`);
        loads.push(await measureScenario(peers, scenario, connections, { seconds, rounds }));
      }
    }
    tell('me during a storm of sign-ins');
    const storms = await measureStorm(peers, { seconds, rounds });
    await pause(SETTLING_MILLISECONDS);
    return peers.map((peer) => ({
      name: peer.name,
      version: peer.version,
      hash: peer.hash,
      readySeconds: peer.readySeconds,
      idle: peer.idle,
      afterLoad: memoryOf(peer.process.pid),
      load: loads.flatMap((load) => load.get(peer) ?? []),
      storm: storms.get(peer) ?? null,
    }));
  });
}

function tell(what: string): void {
  process.stderr.write(`${what}\n`);
}
