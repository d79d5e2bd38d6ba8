import { linuxProcesses } from './linux-processes.ts';

const TICKS_PER_SECOND = 100;

/**
 * What all threads of a process have taken of the processor so far, in user and kernel mode, and those of the processes
 * that it started, the ended ones too. Unlike the time that passes it hardly depends on what else the machine does. Null
 * where the system does not tell.
 */
export function processorSeconds(pid: number): number | null {
  if (process.platform !== 'linux') return null;
  const processes = linuxProcesses();
  const tree = new Set([pid]);
  // A process that has started another is older, but ids begin again at their end: so until nobody is added.
  for (let size = 0; size !== tree.size; ) {
    size = tree.size;
    for (const found of processes) if (tree.has(found.parent)) tree.add(found.pid);
  }
  const ticks = processes.reduce((sum, found) => sum + (tree.has(found.pid) ? found.ticks : 0), 0);
  return ticks / TICKS_PER_SECOND;
}
