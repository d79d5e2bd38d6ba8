import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface Memory {
  readonly residentMebibytes: number;
  /** Since the process began; null where the system does not tell. */
  readonly peakMebibytes: number | null;
}

/** What a process has in memory now. */
export function memoryOf(pid: number): Memory {
  if (process.platform !== 'linux') {
    const kibibytes = Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }));
    return { residentMebibytes: kibibytes / 1024, peakMebibytes: null };
  }
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mebibytes = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1024;
  return { residentMebibytes: mebibytes('VmRSS'), peakMebibytes: mebibytes('VmHWM') };
}
