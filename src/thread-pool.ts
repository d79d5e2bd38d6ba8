import { availableParallelism } from 'node:os';

// Imported first, for its effect, by whatever is a process of its own: libuv reads this when its pool is first used.
// One thread a core for hashing, and two that are always free for the signatures of access tokens, for files and for
// name resolution, which all run in the same pool.
process.env.UV_THREADPOOL_SIZE ??= String(Math.max(4, availableParallelism() + 2));

/** How many threads libuv's pool has in this process. */
export const threadPoolSize = Number(process.env.UV_THREADPOOL_SIZE);
