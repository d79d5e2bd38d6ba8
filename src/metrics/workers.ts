import cluster, { type Worker } from 'node:cluster';
import { randomUUID } from 'node:crypto';
import { AggregatorRegistry, type Registry, type RegistryContentType } from 'prom-client';

const MOST_MILLISECONDS = 6000;

interface Asked {
  readonly metricsOfAll: string;
}

interface Answered extends Asked {
  /** Null: some worker did not answer. */
  readonly text: string | null;
}

/** In the process that keeps the workers: whichever of them asks is told the metrics of all, added up. */
export function answerWorkersAboutAll(): void {
  const all = new AggregatorRegistry();
  cluster.on('message', (worker: Worker, message: unknown) => {
    if (isAsked(message)) void answer(all, worker, message);
  });
}

async function answer(all: AggregatorRegistry<RegistryContentType>, worker: Worker, asked: Asked): Promise<void> {
  const text = await all.clusterMetrics().catch(() => null);
  if (worker.isConnected()) worker.send({ ...asked, text } satisfies Answered);
}

/** In a worker, as early as can be: it has something to say when it is asked for its metrics. */
export function answerAboutThisWorker(): void {
  new AggregatorRegistry();
}

/** In a worker: these are its metrics. */
export function tellMetricsOf(registry: Registry): void {
  AggregatorRegistry.setRegistries(registry);
}

/**
 * In a worker: the metrics of all workers, added up, in Prometheus' text format.
 *
 * @throws when one of them does not answer, such as one that has just died
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
  const asked: Asked = { metricsOfAll: randomUUID() };
  const listen = (message: unknown) => {
    if (!isAnswered(message) || message.metricsOfAll !== asked.metricsOfAll) return;
    if (message.text === null) reject(new Error('some worker did not answer'));
    else resolve(message.text);
  };
  const timer = setTimeout(() => reject(new Error('nobody answered')), MOST_MILLISECONDS);
  process.on('message', listen);
  try {
    process.send?.(asked);
    return await promise;
  } finally {
    clearTimeout(timer);
    process.off('message', listen);
  }
}

function isAsked(message: unknown): message is Asked {
  return typeof message === 'object' && message !== null && 'metricsOfAll' in message;
}

function isAnswered(message: unknown): message is Answered {
  return isAsked(message) && 'text' in message;
}
