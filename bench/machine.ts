import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os';
import type { Machine } from './results.ts';

const BYTES_PER_GIBIBYTE = 1024 ** 3;

/** What this runs on. */
export function machine(): Machine {
  return {
    processor: cpus()[0]?.model ?? 'unknown processor',
    cores: availableParallelism(),
    memoryGibibytes: totalmem() / BYTES_PER_GIBIBYTE,
    system: `${type()} ${release()}`,
    node: process.versions.node,
    loadBefore: loadavg()[0] ?? Number.NaN,
  };
}
