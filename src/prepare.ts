import './runtime.ts';
import { flushCompileCache } from 'node:module';
import { prepareTemplate } from './database/embedded-template.ts';

/** All code is compiled and the template of embedded databases is there, as far as this user may write beside the packages. */
export async function prepare(): Promise<void> {
  await import('./serve.ts');
  flushCompileCache();
  await prepareTemplate();
}
