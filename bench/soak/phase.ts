import { type HttpConnection, openHttpConnection } from '../http-connection.ts';
import { memoryOf } from '../memory.ts';
import type { Person } from '../plan.ts';
import type { ServiceProcess } from '../service-process.ts';
import type { Heap } from './heap.ts';

export const CONNECTIONS = 16;
const SAMPLES = 100;
/** Few, so that the process is mostly left to itself. */
const COLLECTIONS = 20;
const SAMPLES_BETWEEN_COLLECTIONS = SAMPLES / COLLECTIONS;
const TOLD = 10;
const BYTES_PER_MEBIBYTE = 1024 ** 2;

/** One kind of work, done over and over. */
export interface Load {
  readonly name: string;
  /** Answers what does it once, as the n-th of all, and throws unless that succeeded. */
  ready(connection: HttpConnection, person: Person): Promise<(n: number) => Promise<void>>;
}

export interface Outcome {
  readonly name: string;
  readonly wanted: number;
  readonly done: number;
  readonly seconds: number;
  /** Of the process, evenly spread. */
  readonly residentMebibytes: readonly number[];
  /** Of its heap, by full collections that are evenly spread too. */
  readonly leftMebibytes: readonly number[];
}

interface PhaseOptions {
  readonly count: number;
  readonly service: ServiceProcess;
  readonly heap: Heap;
  /** As many as there are connections. */
  readonly people: readonly Person[];
  /** By `performance.now()`. */
  readonly endsAt: number;
  readonly onSample: (text: string) => void;
}

/** The load is done `count` times, or as often as the time allows; now and then it was seen what it took of memory. */
export async function runPhase(
  load: Load,
  { count, service, heap, people, endsAt, onSample }: PhaseOptions,
): Promise<Outcome> {
  const residentMebibytes: number[] = [];
  const leftMebibytes: number[] = [];
  const every = Math.ceil(count / SAMPLES);
  const startedAt = performance.now();
  let begun = 0;
  let done = 0;
  await Promise.all(people.map(repeat));
  const seconds = (performance.now() - startedAt) / 1000;
  return { name: load.name, wanted: count, done, seconds, residentMebibytes, leftMebibytes };

  async function repeat(person: Person): Promise<void> {
    const connection = await openHttpConnection(service.url);
    const step = await load.ready(connection, person);
    while (begun < count && performance.now() < endsAt) {
      begun += 1;
      await step(begun);
      done += 1;
      if (done % every === 0) await sample(done);
    }
    connection.close();
  }

  async function sample(after: number): Promise<void> {
    const resident = memoryOf(service.pid).residentMebibytes;
    const sampled = residentMebibytes.push(resident);
    if (sampled % SAMPLES_BETWEEN_COLLECTIONS !== 0) return;
    const left = (await heap.bytesLeft()) / BYTES_PER_MEBIBYTE;
    leftMebibytes.push(left);
    if (sampled % (SAMPLES / TOLD) !== 0) return;
    onSample(`${load.name}: ${after}, ${resident.toFixed(0)} MiB resident, ${left.toFixed(1)} MiB left on the heap`);
  }
}
