import { type HttpConnection, openHttpConnection } from '../http-connection.ts';
import { memoryOf } from '../memory.ts';
import type { Person } from '../plan.ts';
import type { ServiceProcess } from '../service-process.ts';

export const CONNECTIONS = 16;
const SAMPLES = 100;
const SAMPLES_TOLD = 10;
const BYTES_PER_MEBIBYTE = 1024 ** 2;

/** One kind of work, done over and over. */
export interface Load {
  readonly name: string;
  /** Answers what does it once, as the n-th of all, and throws unless that succeeded. */
  ready(connection: HttpConnection, person: Person): Promise<(n: number) => Promise<void>>;
}

/** What the process had in memory after so many. */
export interface MemorySample {
  readonly done: number;
  readonly residentMebibytes: number;
  /** Of V8's heap, garbage included. */
  readonly heapMebibytes: number;
}

export interface Outcome {
  readonly name: string;
  readonly wanted: number;
  readonly done: number;
  readonly seconds: number;
  readonly samples: readonly MemorySample[];
}

interface PhaseOptions {
  readonly count: number;
  readonly service: ServiceProcess;
  /** As many as there are connections. */
  readonly people: readonly Person[];
  /** By `performance.now()`. */
  readonly endsAt: number;
  readonly onSample: (text: string) => void;
}

/** The load is done `count` times, or as often as the time allows; now and then it was seen what it took of memory. */
export async function runPhase(
  load: Load,
  { count, service, people, endsAt, onSample }: PhaseOptions,
): Promise<Outcome> {
  const samples: MemorySample[] = [];
  const every = Math.ceil(count / SAMPLES);
  const startedAt = performance.now();
  let begun = 0;
  let done = 0;
  await Promise.all(people.map(repeat));
  return { name: load.name, wanted: count, done, seconds: (performance.now() - startedAt) / 1000, samples };

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
    const { residentMebibytes } = memoryOf(service.pid);
    samples.push({ done: after, residentMebibytes, heapMebibytes: await heapOf(service.url) });
    const last = samples.at(-1);
    if (last === undefined || samples.length % (SAMPLES / SAMPLES_TOLD) !== 0) return;
    const [resident, heap] = [Math.round(last.residentMebibytes), Math.round(last.heapMebibytes)];
    onSample(`${load.name}: ${after}, ${resident} MiB resident, ${heap} MiB of heap`);
  }
}

async function heapOf(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const bytes = /^nodejs_heap_size_used_bytes (\S+)$/m.exec(text)?.[1];
  if (bytes === undefined) throw new Error(`no heap in the metrics:\n${text}`);
  return Number(bytes) / BYTES_PER_MEBIBYTE;
}
