import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { type Person, Plan, type Sample } from './plan.ts';
import { processorSeconds } from './processor-time.ts';

/** Does the one thing that is measured, once, and throws unless it succeeded. */
export type Step = () => Promise<void>;

const WARM_UP_SECONDS = 1;

/**
 * The life of a process that makes load: it is told its plan, readies a client for each of the people and says so; told to
 * go on, it lets all of them repeat their step, tells how long each took, and ends.
 */
export async function drive(readyClient: (plan: Plan, person: Person) => Promise<Step>): Promise<never> {
  // Whoever asked for it is gone, and nobody would hear the answer.
  process.once('disconnect', () => process.exit(1));
  const [message] = await once(process, 'message');
  const plan = Plan.parse(message);
  const steps = await Promise.all(plan.people.map((person) => readyClient(plan, person)));
  // Whoever else does the work has been warm for long, and so has to be who does it here. A steady pace would not warm its
  // client up either, which then takes longer over what it counts, and takes it from whom it measures.
  if (plan.pid === null || plan.perSecond !== null) {
    await measure(steps, { ...plan, seconds: WARM_UP_SECONDS, perSecond: null });
  }
  process.send?.('ready');
  await once(process, 'message');
  const sample = await measure(steps, plan);
  // Some hundred thousand latencies are more than a pipe takes at once.
  await new Promise((sent) => process.send?.(sample, undefined, undefined, sent));
  process.exit();
}

async function measure(steps: readonly Step[], { seconds, perSecond, pid, databasePid }: Plan): Promise<Sample> {
  const taken = stopwatch(pid ?? process.pid);
  const takenByDatabase = databasePid === null ? () => null : stopwatch(databasePid);
  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1000;
  const latencies =
    perSecond === null ? await repeat(steps, startedAt, endsAt) : await keepPace(steps, startedAt, endsAt, perSecond);
  return {
    latenciesMilliseconds: Float64Array.from(latencies),
    elapsedSeconds: (performance.now() - startedAt) / 1000,
    processorSeconds: taken(),
    databaseProcessorSeconds: takenByDatabase(),
  };
}

function stopwatch(pid: number): () => number | null {
  const before = processorSeconds(pid);
  return () => {
    const after = processorSeconds(pid);
    return before === null || after === null ? null : after - before;
  };
}

/** One after another, without a pause. */
async function repeat(steps: readonly Step[], startedAt: number, endsAt: number): Promise<readonly number[]> {
  const latencies: number[] = [];
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
  return latencies;
}

/**
 * At their times, however long the others take. Latencies count from those times: what waits for a connection, or for a
 * load generator that is late, waits as a person would. Otherwise a service that stalls would be asked less just then.
 */
async function keepPace(
  steps: readonly Step[],
  startedAt: number,
  endsAt: number,
  perSecond: number,
): Promise<readonly number[]> {
  const latencies: number[] = [];
  const idle = [...steps];
  const waiting: number[] = [];
  const working: Promise<void>[] = [];

  for (let due = startedAt, sent = 1; due < endsAt; due = startedAt + (sent * 1000) / perSecond, sent += 1) {
    const early = due - performance.now();
    if (early > 0) await pause(early);
    const step = idle.pop();
    if (step === undefined) waiting.push(due);
    else working.push(work(step, due));
  }
  await Promise.all(working);
  return latencies;

  async function work(step: Step, firstDue: number): Promise<void> {
    for (let due: number | undefined = firstDue; due !== undefined; due = waiting.shift()) {
      await step();
      latencies.push(performance.now() - due);
    }
    idle.push(step);
  }
}
