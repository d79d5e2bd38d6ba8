import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type Plan, Sample } from './plan.ts';

/** A process that is ready to make load. */
export interface ReadyLoad {
  /** What it measured. @throws when a single answer was no success */
  run(): Promise<Sample>;
}

/**
 * A process of its own, running one of `clients/` or `floors/`, has readied its connections after this plan. Of its own,
 * so that it takes no time from whom it measures but that of the cores.
 */
export async function readyLoad(program: string, plan: Plan): Promise<ReadyLoad> {
  const child = fork(join(import.meta.dirname, program), { serialization: 'advanced' });
  const exit = once(child, 'exit');
  const ended = exit.then(([code]) => Promise.reject(new Error(`${program} ended with ${code} before it was done`)));
  const nextMessage = () => Promise.race([once(child, 'message').then(([message]): unknown => message), ended]);
  child.send(plan);
  await nextMessage();
  return {
    async run() {
      child.send('run');
      const sample = Sample.parse(await nextMessage());
      await exit;
      return sample;
    },
  };
}

/** What a process of its own measured after this plan. */
export async function load(program: string, plan: Plan): Promise<Sample> {
  const ready = await readyLoad(program, plan);
  return ready.run();
}
