import { readdir, readFile } from 'node:fs/promises';
import { availableParallelism, constants, getPriority, setPriority } from 'node:os';

// Imported first, for its effect, by whatever is a process of its own: libuv reads this when its pool is first used.
// One thread a core for hashing, and two that are always free for the signatures of access tokens, for files and for
// name resolution, which all run in the same pool.
process.env.UV_THREADPOOL_SIZE ??= String(Math.max(4, availableParallelism() + 2));

/** How many threads libuv's pool has in this process. */
export const threadPoolSize = Number(process.env.UV_THREADPOOL_SIZE);

/**
 * Above that of the process, by what Linux calls the threads, those of V8 from Node 24 on. A hash gets a tenth of what the
 * event loop gets on the same core, and V8's helpers, which collect garbage and compile, a third: the event loop may come to
 * wait for those.
 */
const NICENESS = new Map([
  ['libuv-worker', 10],
  ['V8Worker', 5],
]);
const THREADS = '/proc/self/task';

/**
 * The threads of libuv's pool, which hash passwords, and of V8's take only what processor time the event loop leaves them:
 * whoever is signed in is answered at once while as many passwords are hashed as there are cores. Where a thread has no
 * priority of its own, which is everywhere but on Linux, all stays as it is.
 */
export async function putEventLoopFirst(): Promise<void> {
  if (process.platform !== 'linux') return;
  const ordinary = getPriority();
  // Read in libuv's pool itself, which thereby has all its threads.
  for (const id of await readdir(THREADS)) {
    const name = await readFile(`${THREADS}/${id}/comm`, 'utf8').catch(() => 'a thread that has ended');
    const niceness = NICENESS.get(name.trim());
    if (niceness !== undefined) setPriority(Number(id), Math.min(ordinary + niceness, constants.priority.PRIORITY_LOW));
  }
}
