import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { holdToShare } from '../../bench/processor-share.ts';

const children: ChildProcess[] = [];

function spawnIdle(): number {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  children.push(child);
  return child.pid ?? 0;
}

function groupsOf(pid: number): string {
  return readFileSync(`/proc/${pid}/cgroup`, 'utf8');
}

function ownGroups(): readonly string[] {
  return ['/sys/fs/cgroup', '/sys/fs/cgroup/cpu']
    .filter((root) => existsSync(root))
    .flatMap((root) => readdirSync(root))
    .filter((name) => name.startsWith(`latchkey-bench-${process.pid}-`));
}

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

describe('a share of a core', () => {
  it('is held by a group for each process, and none is left when they are let go', async ({ skip }) => {
    const pids = [spawnIdle(), spawnIdle()];
    const held = holdToShare(pids, 0.2);
    if (held === null) return skip('this system does not let us make groups');
    const names = pids.map((pid) => `latchkey-bench-${process.pid}-${pid}`);
    expect(pids.map((pid, index) => groupsOf(pid).includes(`/${names[index]}\n`))).toEqual([true, true]);
    expect(ownGroups().toSorted()).toEqual(names.toSorted());
    await held.stop();
    expect(pids.map(groupsOf).join()).not.toContain('latchkey-bench');
    expect(ownGroups()).toEqual([]);
  });

  it('is held for nobody, and leaves no group, when one of them is not there', () => {
    const [running, ended] = [spawnIdle(), 2 ** 30];
    expect(holdToShare([running, ended], 0.2)).toBeNull();
    expect(ownGroups()).toEqual([]);
  });
});
