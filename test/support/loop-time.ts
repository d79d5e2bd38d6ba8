import { readFileSync } from 'node:fs';

/**
 * A clock that counts the milliseconds which the event loop of a process was given: whatever else the machine has to do
 * meanwhile makes it stand still. Where the system does not tell, it is an ordinary clock.
 */
export function loopTimeOf(processId: number): () => number {
  if (process.platform !== 'linux') return () => performance.now();
  return () => {
    const [nanoseconds] = readFileSync(`/proc/${processId}/task/${processId}/schedstat`, 'utf8').split(' ');
    return Number(nanoseconds) / 1_000_000;
  };
}
