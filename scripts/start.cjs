'use strict';

// What `npm start` runs. In JavaScript, because an older Node has to get as far as being told so, and because to read the
// first TypeScript takes Node longer than to load the whole bundle.
require('./require-node.cjs');
const { enableCompileCache } = require('node:module');
const { readFileSync, statSync } = require('node:fs');
const { join } = require('node:path');

const ROOT = join(__dirname, '..');
const CACHE_DIRECTORY = join(ROOT, 'node_modules/.cache/latchkey');
const BUNDLE_DIRECTORY = join(CACHE_DIRECTORY, 'bundle');

enableCompileCache(join(CACHE_DIRECTORY, 'compiled'));
if (isUpToDate()) require(join(BUNDLE_DIRECTORY, 'main.cjs'));
else import('../src/main.ts');

/** Whether there is a bundle, and nothing that it was made of has been touched since. */
function isUpToDate() {
  try {
    const inputs = JSON.parse(readFileSync(join(BUNDLE_DIRECTORY, 'inputs.json'), 'utf8'));
    return inputs.every(({ path, size, mtimeMs }) => {
      const file = statSync(join(ROOT, path));
      return file.size === size && file.mtimeMs === mtimeMs;
    });
  } catch {
    return false;
  }
}
