// What the peers need, as their lock files say, where it is not there yet.

import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';

for (const directory of [import.meta.dirname, join(import.meta.dirname, 'directus')]) {
  if (!isInstalled(directory)) install(directory);
}

function isInstalled(directory: string): boolean {
  const installed = join(directory, 'node_modules', '.package-lock.json');
  const wanted = join(directory, 'package-lock.json');
  return existsSync(installed) && statSync(installed).mtimeMs >= statSync(wanted).mtimeMs;
}

function install(directory: string): void {
  process.stderr.write(`npm ci in ${directory}: this takes minutes\n`);
  // Nothing that is used here has to be built.
  const { status } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: directory,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) process.exit(1);
}
