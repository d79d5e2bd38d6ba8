import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { CACHE_DIRECTORY } from './cache-directory.ts';
import './thread-pool.ts';

// Imported first, for its effect, by whatever is a process of its own.

// Code that is imported dynamically, after this has run, is compiled once and for all. Where the directory cannot be
// written, that is every time.
enableCompileCache(join(CACHE_DIRECTORY, 'compiled'));

// By default V8 optimizes much of PGlite while that starts, which costs half a gigabyte and as much processor time as the
// start itself. The budget, which is in bytes of code run and 13 million by default, leaves that to what stays hot.
setFlagsFromString('--wasm-tiering-budget=1000000000');

// What a compilation by Maglev, V8's middle compiler, has taken lies in malloc's arenas for good when one of V8's threads
// gives it back: 18 MiB of nothing after the first thousands of requests. On this thread it is given back as well as taken.
setFlagsFromString('--no-maglev-destroy-on-background');
