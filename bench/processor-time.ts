import { readdirSync, readFileSync } from 'node:fs';

const TICKS_PER_SECOND = 100;

/**
 * What all threads of a process have taken of the processor so far, in user and kernel mode, and those of the processes
 * that it started, the ended ones too. Unlike the time that passes it hardly depends on what else the machine does. Null
 * where the system does not tell.
 *
 * @see proc_pid_stat(5), fields 14 to 17
 */
export function processorSeconds(pid: number): number | null {
  if (process.platform !== 'linux') return null;
  const processes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readProcess(Number(name)));
  const tree = new Set([pid]);
  // A process that has started another is older, but ids begin again at their end: so until nobody is added.
  for (let size = 0; size !== tree.size; ) {
    size = tree.size;
    for (const found of processes) if (found !== null && tree.has(found.parent)) tree.add(found.pid);
  }
  const ticks = processes.reduce((sum, found) => sum + (found !== null && tree.has(found.pid) ? found.ticks : 0), 0);
  return ticks / TICKS_PER_SECOND;
}

/** Null when it has ended in the meantime. */
function readProcess(pid: number) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in parentheses, and may hold anything.
    const [, parent, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = fields.slice(9, 13).reduce((sum, field) => sum + Number(field), 0);
    return { pid, parent: Number(parent), ticks };
  } catch {
    return null;
  }
}
