import cluster, { type Worker } from 'node:cluster';
import { AggregatorRegistry, type Registry } from 'prom-client';
import { z } from 'zod';

const MOST_MILLISECONDS_FOR_ONE = 2000;
const MOST_MILLISECONDS_FOR_ALL = 6000;

/** As prom-client has it in JSON, with its values, which matter only to prom-client. */
const Metric = z.looseObject({ name: z.string(), type: z.string() });
type Metric = z.infer<typeof Metric>;

/** From a worker: it can tell its metrics; it tells them; it wants to know those of all. */
const FromWorker = z.discriminatedUnion('metrics', [
  z.object({ metrics: z.literal('can be told') }),
  z.object({ metrics: z.literal('of one'), told: z.array(Metric) }),
  z.object({ metrics: z.literal('of all are wanted') }),
]);

const FromKeeper = z.discriminatedUnion('metrics', [
  z.object({ metrics: z.literal('of one are wanted') }),
  z.object({ metrics: z.literal('of all'), text: z.string() }),
]);

/**
 * In the process that keeps the workers: whichever of them asks is told the metrics of all, added up. Of one that has died,
 * what it had counted goes on counting, since a sum that falls looks like a restart to who reads it; of one that does not
 * answer within 2 seconds it is what it told last.
 */
export function answerWorkersAboutAll(): void {
  const lastTold = new Map<number, readonly Metric[]>();
  const dead: (readonly Metric[])[] = [];
  const awaited = new Map<number, () => void>();
  let gathering: Promise<string> | null = null;

  cluster.on('message', (worker: Worker, message: unknown) => {
    const { data } = FromWorker.safeParse(message);
    // What it said may arrive after its end.
    if (data?.metrics === 'can be told' && !worker.isDead()) lastTold.set(worker.id, []);
    if (data?.metrics === 'of one' && lastTold.has(worker.id)) {
      lastTold.set(worker.id, data.told);
      awaited.get(worker.id)?.();
    }
    if (data?.metrics === 'of all are wanted') void answer(worker);
  });
  cluster.on('exit', ({ id }) => {
    dead.push((lastTold.get(id) ?? []).filter(({ type }) => type === 'counter' || type === 'histogram'));
    lastTold.delete(id);
    awaited.get(id)?.();
  });

  async function answer(worker: Worker): Promise<void> {
    gathering ??= gather().finally(() => {
      gathering = null;
    });
    const text = await gathering.catch(() => null);
    if (text !== null) send(worker, { metrics: 'of all', text });
  }

  async function gather(): Promise<string> {
    await Promise.all([...lastTold.keys()].map(hear));
    const buried = await AggregatorRegistry.aggregate([...dead]).getMetricsAsJSON();
    dead.splice(0, dead.length, z.array(Metric).parse(buried));
    return AggregatorRegistry.aggregate([...dead, ...lastTold.values()]).metrics();
  }

  async function hear(id: number): Promise<void> {
    const worker = cluster.workers?.[id];
    if (!worker?.isConnected()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, MOST_MILLISECONDS_FOR_ONE);
    awaited.set(id, resolve);
    send(worker, { metrics: 'of one are wanted' });
    await promise;
    clearTimeout(timer);
    awaited.delete(id);
  }
}

/** Whoever is going just then need not hear it. */
function send(worker: Worker, message: z.infer<typeof FromKeeper>): void {
  if (worker.isConnected()) worker.send(message, () => {});
}

/** In a worker: these are its metrics. */
export function tellMetricsOf(registry: Registry): void {
  process.on('message', async (message: unknown) => {
    if (FromKeeper.safeParse(message).data?.metrics !== 'of one are wanted') return;
    tell({ metrics: 'of one', told: z.array(Metric).parse(await registry.getMetricsAsJSON()) });
  });
  tell({ metrics: 'can be told' });
}

function tell(message: z.infer<typeof FromWorker>): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}

/**
 * In a worker: the metrics of all workers, added up, in Prometheus' text format.
 *
 * @throws when the process that keeps the workers does not answer
 */
export function metricsOfAllWorkers(): Promise<string> {
  asking ??= askForAll().finally(() => {
    asking = null;
  });
  return asking;
}

/** Shared by those who ask meanwhile, so that a crowd of them costs no more than one. */
let asking: Promise<string> | null = null;

async function askForAll(): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const listen = (message: unknown) => {
    const { data } = FromKeeper.safeParse(message);
    if (data?.metrics === 'of all') resolve(data.text);
  };
  const timer = setTimeout(() => reject(new Error('nobody answered')), MOST_MILLISECONDS_FOR_ALL);
  process.on('message', listen);
  try {
    tell({ metrics: 'of all are wanted' });
    return await promise;
  } finally {
    clearTimeout(timer);
    process.off('message', listen);
  }
}
