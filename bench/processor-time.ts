import { readFileSync } from 'node:fs';

const TICKS_PER_SECOND = 100;

/**
 * What all threads of a process have taken of the processor so far, in user and kernel mode. Unlike the time that passes
 * it hardly depends on what else the machine does. Null where the system does not tell.
 *
 * @see proc_pid_stat(5), fields 14 and 15
 */
export function processorSeconds(pid: number): number | null {
  if (process.platform !== 'linux') return null;
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The second field is the program's name in parentheses, and may hold anything.
  const fromThirdField = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fromThirdField[11]) + Number(fromThirdField[12])) / TICKS_PER_SECOND;
}
