import { once } from 'node:events';
import { type Person, Plan, type Sample } from './plan.ts';
import { processorSeconds } from './processor-time.ts';

/** Does the one thing that is measured, once, and throws unless it succeeded. */
export type Step = () => Promise<void>;

const WARM_UP_SECONDS = 1;

/**
 * The life of a process that makes load: it is told its plan, readies a client for each of the people, lets all
 * of them repeat their step, one after another without a pause, tells how long each took, and ends.
 */
export async function drive(readyClient: (plan: Plan, person: Person) => Promise<Step>): Promise<never> {
  const [message] = await once(process, 'message');
  const plan = Plan.parse(message);
  const steps = await Promise.all(plan.people.map((person) => readyClient(plan, person)));
  // Whoever else does the work has been warm for long, and so has to be who does it here.
  if (plan.pid === null) await repeat(steps, { ...plan, seconds: WARM_UP_SECONDS });
  const sample = await repeat(steps, plan);
  process.send?.(sample);
  process.disconnect();
  process.exit();
}

async function repeat(steps: readonly Step[], { seconds, pid }: Plan): Promise<Sample> {
  const latencies: number[] = [];
  const takenBefore = processorSeconds(pid ?? process.pid);
  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1000;
  await Promise.all(
    steps.map(async (step) => {
      for (let now = startedAt; now < endsAt; ) {
        await step();
        const finishedAt = performance.now();
        latencies.push(finishedAt - now);
        now = finishedAt;
      }
    }),
  );
  const elapsedSeconds = (performance.now() - startedAt) / 1000;
  const takenAfter = processorSeconds(pid ?? process.pid);
  return {
    latenciesMilliseconds: Float64Array.from(latencies),
    elapsedSeconds,
    processorSeconds: takenBefore === null || takenAfter === null ? null : takenAfter - takenBefore,
  };
}
