import { hash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import type { Plugin } from 'rolldown';
import { CACHE_DIRECTORY } from './cache-directory.ts';

export const BUNDLE_DIRECTORY = join(CACHE_DIRECTORY, 'bundle');

const ROOT = resolve(import.meta.dirname, '..');
const SOURCES = join(ROOT, 'src') + sep;

/** Changes whenever a package does. */
const INSTALLED_PACKAGES = join(ROOT, 'node_modules/.package-lock.json');

/** What finds files of its own beside its code, is only asked for where it is there, or has to be loaded by nobody. */
const NOT_BUNDLED = ['argon2', '@node-rs/argon2', 'bcrypt', '@electric-sql/pglite', 'rolldown'];

/**
 * The service, with the packages it is made of, is a few files of CommonJS in `directory`, which take a third of the time
 * and half of the memory to load: `main.cjs`, which starts it, and `rehearsal.cjs`. Of what it was made is in
 * `inputs.json`; `scripts/start.cjs` uses it while all of that is what it was. The directory appears in one step.
 *
 * @throws where rolldown, which is optional, is not there
 */
export async function bundle(directory: string = BUNDLE_DIRECTORY): Promise<void> {
  const { rolldown } = await import('rolldown');
  mkdirSync(dirname(directory), { recursive: true });
  const unfinished = mkdtempSync(`${directory}.`);
  try {
    const build = await rolldown({
      input: { main: join(SOURCES, 'main.ts'), rehearsal: join(SOURCES, 'rehearsal.ts') },
      cwd: ROOT,
      platform: 'node',
      external: NOT_BUNDLED,
      plugins: [filesBesideSources(directory), notEvenLoaded, withoutFetch, webAssemblyAsFiles, latin1Only],
      logLevel: 'silent',
    });
    await build.write({
      dir: unfinished,
      format: 'cjs',
      entryFileNames: '[name].cjs',
      chunkFileNames: '[name]-[hash].cjs',
      assetFileNames: '[name][extname]',
      comments: false,
      // Read by whoever starts Node with --enable-source-maps.
      sourcemap: true,
    });
    const sources = (await build.watchFiles).filter((path) => path.startsWith(SOURCES));
    await build.close();
    writeFileSync(join(unfinished, 'inputs.json'), JSON.stringify([...sources, INSTALLED_PACKAGES].map(stateOf)));
    // Whoever starts the service may be somebody else.
    chmodSync(unfinished, 0o755);
    rmSync(directory, { recursive: true, force: true });
    renameSync(unfinished, directory);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

function stateOf(path: string) {
  const { size, mtimeMs } = statSync(path);
  return { path: relative(ROOT, path), size, mtimeMs, sha256: hash('sha256', readFileSync(path)) };
}

/** Templates, migrations and the like stay where they are, and are found from the bundle too. */
function filesBesideSources(directory: string): Plugin {
  const fromBundle = (path: string) => relative(directory, path).replaceAll(sep, '/');
  return {
    name: 'files beside sources',
    // As it is loaded, since what is transformed without a source map has none; the lines stay as they are.
    load(id) {
      if (!id.startsWith(SOURCES)) return null;
      this.addWatchFile(id);
      return readFileSync(id, 'utf8')
        .replaceAll('import.meta.url', `new URL(${JSON.stringify(fromBundle(id))}, import.meta.url).href`)
        .replaceAll('import.meta.dirname', `(import.meta.dirname + ${JSON.stringify(`/${fromBundle(dirname(id))}`)})`);
    },
  };
}

/** The plugin imports what prints a subgraph for its `toSubGraphSchema`, which nobody calls (see `graphql/subgraph.ts`). */
const notEvenLoaded: Plugin = {
  name: 'not even loaded',
  resolveId: (source, importer) =>
    source === '@apollo/subgraph' && importer?.includes('plugin-federation') ? NOTHING : null,
  load: (id) => (id === NOTHING ? 'export const printSubgraphSchema = undefined;' : null),
};

const NOTHING = '\0nothing';

/** Yoga asks whether its `Request` is Node's, which it is not. To answer, Node loads the whole of its `fetch`, which only Resend needs. */
const withoutFetch: Plugin = {
  name: 'without fetch',
  load: {
    filter: { id: /@whatwg-node\/server\/esm\/createServerAdapter\.js$/ },
    handler: (id) => readFileSync(id, 'utf8').replace('fetchAPI.Request !== globalThis.Request', 'true'),
  },
};

/**
 * What Prisma has in Base64, as text that stays in memory, is read when it is needed and left to whoever asked: V8 has a
 * copy of what it compiles. `Buffer.from`, which is all that is done with it, takes an object's `valueOf`, and decodes
 * nothing of a buffer.
 */
const webAssemblyAsFiles: Plugin = {
  name: 'WebAssembly as files',
  load: {
    filter: { id: /\.wasm-base64\.mjs$/ },
    handler(id) {
      const [, base64] = /"([A-Za-z0-9+/=]+)"/.exec(readFileSync(id, 'utf8')) ?? [];
      if (base64 === undefined) return null;
      const fileName = basename(id).replace(/-base64\.mjs$/, '');
      this.emitFile({ type: 'asset', fileName, source: Buffer.from(base64, 'base64') });
      return `
        import { readFileSync } from 'node:fs';
        import { join } from 'node:path';
        const valueOf = () => readFileSync(join(import.meta.dirname, ${JSON.stringify(fileName)}));
        export const wasm = { valueOf };`;
    },
  },
};

/**
 * V8 keeps the text of a file in memory, in two bytes a character if there is one beyond Latin-1 in it. Done last, since
 * whatever prints the code anew writes the characters themselves.
 */
const latin1Only: Plugin = {
  name: 'Latin-1 only',
  generateBundle(_, files) {
    for (const file of Object.values(files)) if (file.type === 'chunk') file.code = escapeBeyondLatin1(file.code);
  },
};

function escapeBeyondLatin1(code: string): string {
  return code.replaceAll(/(\\*)([^\0-\xff])/g, (_, backslashes: string, character: string) => {
    // The last of an odd number escapes the character, which then needs no escape.
    const kept = backslashes.slice(backslashes.length % 2);
    return `${kept}\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
