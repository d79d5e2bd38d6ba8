import { hash } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, renameSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { run, temporaryDirectory } from '../support/process.ts';

const BUNDLE = 'node_modules/.cache/latchkey/bundle';
const LOCK = 'node_modules/.package-lock.json';
const SOURCE = 'src/config.ts';

let root: string;

beforeEach(() => {
  root = temporaryDirectory();
  cpSync(join(import.meta.dirname, '../../scripts'), join(root, 'scripts'), { recursive: true });
  write('package.json', '{"type": "module"}');
  write('src/main.ts', 'const from: string = "the sources"; console.log(from);');
  write(SOURCE, 'export {};');
  write(LOCK, '{}');
  // Two writes within one tick of a file system's clock would have the same time.
  for (const path of [SOURCE, LOCK]) utimesSync(join(root, path), 2, 2);
});

describe('scripts/start.cjs', () => {
  it('runs the bundle while nothing that it was made of has been touched', async () => {
    writeBundle();
    expect(await start()).toBe('the bundle');
  });

  it.each([
    ['a source has been edited', () => write(SOURCE, 'export { };')],
    ['a source has been edited and is as long as before', () => write(SOURCE, 'export {} ')],
    ['a source is gone', () => renameSync(join(root, SOURCE), join(root, `${SOURCE}.bak`))],
    ['packages have been installed', () => write(LOCK, '{"packages": {}}')],
    ['its list cannot be read', () => write(`${BUNDLE}/inputs.json`, '[')],
    ['its list is no list', () => write(`${BUNDLE}/inputs.json`, '{}')],
  ])('runs the sources when %s', async (_, change) => {
    writeBundle();
    change();
    expect(await start()).toBe('the sources');
  });

  it('runs the bundle when all have the same content and other times, as in an image of a container', async () => {
    writeBundle();
    for (const path of [SOURCE, LOCK]) utimesSync(join(root, path), 1, 1);
    expect(await start()).toBe('the bundle');
  });

  it('runs the sources where the packages, and so the bundle, are those of another tree', async () => {
    writeBundle();
    const shared = join(temporaryDirectory(), 'node_modules');
    renameSync(join(root, 'node_modules'), shared);
    symlinkSync(shared, join(root, 'node_modules'));
    expect(await start()).toBe('the sources');
  });

  it('runs the sources where there is no bundle', async () => {
    expect(await start()).toBe('the sources');
  });
});

function writeBundle(): void {
  write(`${BUNDLE}/main.cjs`, 'console.log("the bundle");');
  const inputs = [SOURCE, LOCK].map((path) => {
    const { size, mtimeMs } = statSync(join(root, path));
    return { path, size, mtimeMs, sha256: hash('sha256', readFileSync(join(root, path))) };
  });
  write(`${BUNDLE}/inputs.json`, JSON.stringify(inputs));
}

function write(path: string, text: string): void {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), text);
}

async function start(): Promise<string> {
  const { code, stdout, stderr } = await run(join(root, 'scripts/start.cjs'));
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout.trim();
}
