'use strict';

// What `npm start` runs. In JavaScript, because an older Node has to get as far as being told so, and because to read the
// first TypeScript takes Node longer than to load the whole bundle.
require('./require-node.cjs');
const { enableCompileCache } = require('node:module');
const { readFileSync, realpathSync, statSync } = require('node:fs');
const { join } = require('node:path');

const ROOT = join(__dirname, '..');
const CACHE_DIRECTORY = join(ROOT, 'node_modules/.cache/latchkey');
const BUNDLE_DIRECTORY = join(CACHE_DIRECTORY, 'bundle');

enableCompileCache(join(CACHE_DIRECTORY, 'compiled'));
if (isUpToDate()) require(join(BUNDLE_DIRECTORY, 'main.cjs'));
else import('../src/main.ts');

/**
 * Whether there is a bundle of these very sources and packages. One that another tree shares, by a link, would read the
 * migrations and templates of that one.
 */
function isUpToDate() {
  try {
    if (realpathSync(BUNDLE_DIRECTORY) !== BUNDLE_DIRECTORY) return false;
    const inputs = JSON.parse(readFileSync(join(BUNDLE_DIRECTORY, 'inputs.json'), 'utf8'));
    return inputs.every(isAsItWas);
  } catch {
    return false;
  }
}

/** Images of containers and archives keep whole seconds, or no times at all: there the content decides. */
function isAsItWas({ path, size, mtimeMs, sha256 }) {
  const file = statSync(join(ROOT, path));
  if (file.size !== size || file.mtimeMs === mtimeMs) return file.size === size;
  // Not before: it takes longer than all the rest.
  const { hash } = require('node:crypto');
  return hash('sha256', readFileSync(join(ROOT, path))) === sha256;
}
