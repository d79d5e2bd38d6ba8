import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CLI, DIRECTORY, PACKAGES } from './places.ts';

/** The program and its database client are made from `keystone.ts`, as before every deployment. */
export function buildKeystone(): void {
  // As in Latchkey's own prisma.config.ts: the engine is never run, but has to be there.
  const engineWasDownloaded = existsSync(join(PACKAGES, '@prisma', 'engines', 'schema-engine'));
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, 'build', '--no-ui'], {
    cwd: DIRECTORY,
    encoding: 'utf8',
    env: { ...process.env, ...(!engineWasDownloaded && { PRISMA_SCHEMA_ENGINE_BINARY: process.execPath }) },
  });
  if (status !== 0) throw new Error(`Keystone could not be built:\n${stdout}\n${stderr}`);
}
