import './runtime.ts';
import { renameSync } from 'node:fs';
import { createRequire, flushCompileCache } from 'node:module';
import { join } from 'node:path';
import { BUNDLE_DIRECTORY, bundle } from './bundle.ts';
import { prepareTemplate } from './database/embedded-template.ts';

const require = createRequire(import.meta.url);

/** The bundle is there, all code compiled, and the template of embedded databases made, as far as this user may write beside the packages. */
export async function prepare(): Promise<void> {
  await import('./serve.ts');
  flushCompileCache();
  await prepareTemplate();
  await bundle();
  await rehearseIn(BUNDLE_DIRECTORY);
  flushCompileCache();
}

/**
 * The service has run once from this bundle. Unless it has, and also where that ends the process, nothing starts from it: what
 * fails here would fail at every start, while the sources may not.
 */
export async function rehearseIn(bundleDirectory: string): Promise<void> {
  const inputs = join(bundleDirectory, 'inputs.json');
  const unproven = `${inputs}.unproven`;
  renameSync(inputs, unproven);
  const { rehearse }: typeof import('./rehearsal.ts') = require(join(bundleDirectory, 'rehearsal.cjs'));
  await rehearse();
  renameSync(unproven, inputs);
}
