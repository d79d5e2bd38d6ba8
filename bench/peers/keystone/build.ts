import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram } from '../run-program.ts';
import { CLI, DIRECTORY, PACKAGES } from './places.ts';

/** The program and its database client are made from `keystone.ts`, as before every deployment. */
export function buildKeystone(): Promise<void> {
  // As in Latchkey's own prisma.config.ts: the engine is never run, but has to be there.
  const engineWasDownloaded = existsSync(join(PACKAGES, '@prisma', 'engines', 'schema-engine'));
  return runProgram([CLI, 'build', '--no-ui'], {
    directory: DIRECTORY,
    environment: engineWasDownloaded ? {} : { PRISMA_SCHEMA_ENGINE_BINARY: process.execPath },
  });
}
