import { fork } from 'node:child_process';
import { once } from 'node:events';
import { type Plan, Sample } from './plan.ts';

/**
 * What a process of its own, running one of `clients/` or `floors/`, measured after this plan. Of its own, so that it
 * takes no time from whom it measures but that of the cores.
 *
 * @throws when a single answer was no success
 */
export async function load(program: string, plan: Plan): Promise<Sample> {
  const child = fork(program, { serialization: 'advanced' });
  const exit = once(child, 'exit');
  const answer = Promise.race([
    once(child, 'message').then(([message]) => Sample.parse(message)),
    exit.then(([code]) => Promise.reject(new Error(`${program} ended with ${code} instead of a measurement`))),
  ]);
  child.send(plan);
  const sample = await answer;
  await exit;
  return sample;
}
