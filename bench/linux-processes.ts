import { readdirSync, readFileSync } from 'node:fs';

export interface LinuxProcess {
  readonly pid: number;
  readonly parent: number;
  /** What its threads have taken of the processor, and those of its children that have ended. */
  readonly ticks: number;
}

/**
 * All that are running.
 *
 * @see proc_pid_stat(5), fields 14 to 17
 */
export function linuxProcesses(): readonly LinuxProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readProcess(Number(name)) ?? []);
}

/** Null when it has ended in the meantime. */
function readProcess(pid: number): LinuxProcess | null {
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
