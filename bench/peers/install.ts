// What the peers need, as their lock files say, where it is not there yet.

import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

for (const directory of [import.meta.dirname, join(import.meta.dirname, 'directus')]) {
  const wanted = join(directory, 'package-lock.json');
  // Written last, so that an installation that was broken off is made again.
  const installed = join(directory, 'node_modules', '.installed-lock.json');
  if (existsSync(installed) && readFileSync(installed).equals(readFileSync(wanted))) continue;
  install(directory);
  copyFileSync(wanted, installed);
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
