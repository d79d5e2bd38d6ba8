import './runtime.ts';
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
  const { rehearse }: typeof import('./rehearsal.ts') = require(join(BUNDLE_DIRECTORY, 'rehearsal.cjs'));
  await rehearse();
  flushCompileCache();
}
