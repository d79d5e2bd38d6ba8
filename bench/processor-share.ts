import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface HeldProcesses {
  /** They may take of the processor what they get, as before. */
  stop(): Promise<void>;
}

/** So short that what waits for the next one is not seen in the rates. */
const PERIOD_MICROSECONDS = 10_000;

/**
 * Each of these processes, with all its threads, takes no more than this share of a core, for as long as this process
 * runs or until they are let go. Null where the system has no such groups, or not for us.
 *
 * @see cgroups(7): `cpu.cfs_quota_us` of version 1, `cpu.max` of version 2
 */
export function holdToShare(pids: readonly number[], share: number): HeldProcesses | null {
  const held: (() => void)[] = [];
  const letGo = () => {
    process.off('exit', letGo);
    for (const undo of held.splice(0)) undo();
  };
  // Before those are ended whose groups these are: what is just ending can neither be moved nor left behind.
  process.prependOnceListener('exit', letGo);
  try {
    for (const pid of pids) hold(pid, share, held);
    return { stop: async () => letGo() };
  } catch (error) {
    letGo();
    if (error instanceof Error && 'syscall' in error) return null;
    throw error;
  }
}

function hold(pid: number, share: number, held: (() => void)[]): void {
  const { root, home, limits } = groupsOf(pid);
  const group = join(root, `latchkey-bench-${process.pid}-${pid}`);
  mkdirSync(group);
  held.push(() => rmdirSync(group));
  for (const [file, value] of Object.entries(limits(Math.round(share * PERIOD_MICROSECONDS)))) {
    writeFileSync(join(group, file), value);
  }
  writeFileSync(join(group, 'cgroup.procs'), String(pid));
  // A group can only be removed when nobody is in it.
  held.unshift(() => moveBack(pid, home));
}

function moveBack(pid: number, home: string): void {
  try {
    writeFileSync(join(home, 'cgroup.procs'), String(pid));
  } catch {
    // It has ended, and is in no group any more.
  }
}

/** Where groups that govern the processor are made, where the process is now, and what limits them. */
function groupsOf(pid: number) {
  const memberships = readFileSync(`/proc/${pid}/cgroup`, 'utf8')
    .trim()
    .split('\n')
    .map((line) => {
      const [, controllers = '', ...path] = line.split(':');
      return { controllers: controllers.split(','), path: path.join(':') };
    });
  const first = memberships.find(({ controllers }) => controllers.includes('cpu'));
  const second = memberships.find(({ controllers }) => controllers.includes(''));
  const root = first === undefined ? '/sys/fs/cgroup' : '/sys/fs/cgroup/cpu';
  return { root, home: join(root, (first ?? second)?.path ?? ''), limits: first === undefined ? limits2 : limits1 };
}

function limits1(quotaMicroseconds: number): Readonly<Record<string, string>> {
  return { 'cpu.cfs_period_us': String(PERIOD_MICROSECONDS), 'cpu.cfs_quota_us': String(quotaMicroseconds) };
}

function limits2(quotaMicroseconds: number): Readonly<Record<string, string>> {
  return { 'cpu.max': `${quotaMicroseconds} ${PERIOD_MICROSECONDS}` };
}
