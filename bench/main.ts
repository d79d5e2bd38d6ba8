// `npm run bench`: how fast the service is and what it takes, as real processes on real databases of this machine,
// beside the least that the same could cost, measured in turn with it. What is slow here is not a failure: people judge.

import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measureBloat } from './bloat.ts';
import type { DatabaseKind } from './databases/database.ts';
import { embeddedKind } from './databases/embedded.ts';
import { type PostgresKind, startPostgresKind } from './databases/postgres.ts';
import { measureEndurance } from './endurance.ts';
import { measureGrowth } from './growth.ts';
import { measureIsolation } from './isolation.ts';
import { listScenarios, measureLists } from './lists.ts';
import { machine } from './machine.ts';
import { readOptions, USAGE } from './options.ts';
import { publish } from './published/publish.ts';
import { measureReadiness } from './ready.ts';
import { report } from './report.ts';
import type { Results } from './results.ts';
import { measureScaleOut } from './scale-out.ts';
import type { ScenarioParts } from './scenario.ts';
import { countStatements } from './statements.ts';
import { measureUnderLoad } from './under-load.ts';

const ROOT = join(import.meta.dirname, '..');
const RESULTS = join(import.meta.dirname, 'results');

const options = readOptions(process.argv.slice(2)) ?? showUsage();
const temporaryDirectory = mkdtempSync(join(tmpdir(), 'latchkey-bench-'));
process.on('exit', () => rmSync(temporaryDirectory, { recursive: true, force: true, maxRetries: 5 }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const environment = {
  SECRET_KEY: randomBytes(32).toString('base64'),
  ADMIN_EMAIL: 'ada@latchkey.test',
  ADMIN_PASSWORD: randomBytes(18).toString('base64url'),
  // Each connection is a client of its own.
  TRUST_PROXY: '1',
};

const results: Results = {
  machine: machine(),
  seconds: options.seconds,
  rounds: options.rounds,
  ready: [],
  memory: [],
  load: [],
  statements: [],
  lists: [],
  isolation: [],
  growth: [],
  scaleOut: [],
  endurance: [],
  bloat: [],
};

if (options.databases.has('postgres')) {
  const kind = await startPostgresKind(temporaryDirectory);
  try {
    await measure(kind);
    await measureOnPostgres(kind);
  } finally {
    await kind.stop();
  }
}
if (options.databases.has('embedded')) await measure(embeddedKind(temporaryDirectory));

mkdirSync(RESULTS, { recursive: true });
const file = join(RESULTS, `${new Date().toISOString().replaceAll(':', '-')}.json`);
writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
if (options.publish) publish([results]);
process.stdout.write(`${report(results)}\n\n${file}\n`);

function showUsage(): never {
  process.stderr.write(USAGE);
  process.exit(1);
}

async function measure(kind: DatabaseKind): Promise<void> {
  if (options.scenarios.has('ready')) {
    tell(`${kind.name}: ready`);
    results.ready.push(...(await measureReadiness(kind, { root: ROOT, environment })));
  }
  const { load, memory } = await measureUnderLoad(kind, {
    options,
    root: ROOT,
    environment,
    onProgress: tell,
  });
  results.load.push(...load);
  results.memory.push(...memory);
}

async function measureOnPostgres(kind: PostgresKind): Promise<void> {
  if (options.scenarios.has('statements')) {
    tell(`${kind.name}: statements`);
    results.statements.push(...(await countStatements(kind, { root: ROOT, environment })));
  }
  await run('isolation', measureIsolation, results.isolation);
  await run('scale-out', measureScaleOut, results.scaleOut);
  await run('bloat', measureBloat, results.bloat);
  await run('growth', measureGrowth, results.growth);
  await run('endurance', measureEndurance, results.endurance);
  for (const { name, ...scenario } of listScenarios) {
    await run(name, (parts) => measureLists(kind, scenario, parts), results.lists);
  }

  async function run<Result>(
    name: string,
    measureScenario: (parts: ScenarioParts) => Promise<readonly Result[]>,
    into: Result[],
  ): Promise<void> {
    if (!options.scenarios.has(name)) return;
    const onProgress = (what: string) => tell(`${kind.name}: ${name}: ${what}`);
    into.push(...(await measureScenario({ kind, root: ROOT, environment, options, onProgress })));
  }
}

function tell(what: string): void {
  process.stderr.write(`${what}\n`);
}
