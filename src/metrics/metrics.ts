import cluster from 'node:cluster';
import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { HashGate } from '../limits/hash-gate.ts';
import { recentAnswer } from '../limits/recent-answer.ts';
import { metricsOfAllWorkers, tellMetricsOf } from './workers.ts';

/**
 * What an operator watches, as Prometheus reads it. Every label has few values, none of which a client can make up: a
 * name that a stranger chooses would be a series of its own.
 */
export interface Metrics {
  /** Fields of Query and Mutation that were asked for, by name and by what became of them: `OK` or the error's code. */
  readonly operations: Counter<'field' | 'outcome'>;
  readonly operationSeconds: Histogram<'field'>;
  /** Requests that were refused before anything of them ran, by the error's code. */
  readonly refusedRequests: Counter<'code'>;
  /** One hash, without its wait for a turn. */
  readonly hashSeconds: Histogram;
  /** Attempts that a limit refused, by the limit's name. */
  readonly limited: Counter<'limit'>;
  /** Tries of jobs that this process made, by the job's name and what became of them. */
  readonly jobs: Counter<'job' | 'outcome'>;
  readonly jobSeconds: Histogram<'job'>;
  /** In Prometheus' text format; of all processes that share the port. */
  text(): Promise<string>;
  readonly contentType: string;
}

interface Watched {
  readonly pool: pg.Pool;
  readonly hashGate: HashGate;
  /** How many jobs of each state are in the queue. */
  readonly countJobs: () => Promise<Readonly<Record<string, number>>>;
}

const OPERATION_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const JOB_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const QUEUE_ASKED_EVERY_MILLISECONDS = 5000;
const QUEUE_WAITED_FOR_MILLISECONDS = 2000;
const HASH_SECONDS = [0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1];

export function createMetrics({ pool, hashGate, countJobs }: Watched): Metrics {
  const registry = new Registry();
  const registers = [registry];
  if (cluster.isWorker) tellMetricsOf(registry);
  collectDefaultMetrics({ register: registry });
  gauge('latchkey_database_connections', 'Connections of the pool.', () => pool.totalCount);
  gauge('latchkey_database_connections_idle', 'Connections of the pool that nobody uses.', () => pool.idleCount);
  gauge('latchkey_database_connections_awaited', 'Who waits for a connection of the pool.', () => pool.waitingCount);
  gauge('latchkey_hashes_running', 'Password hashes under way.', () => hashGate.running);
  gauge('latchkey_hashes_queued', 'Password hashes that wait for their turn.', () => hashGate.queued);
  const recentJobs = recentAnswer(QUEUE_ASKED_EVERY_MILLISECONDS, countJobs);
  new Gauge({
    name: 'latchkey_queue_jobs',
    help: 'Jobs in the queue, of all instances, by state.',
    labelNames: ['state'],
    // All processes ask the same queue.
    aggregator: 'max',
    registers,
    async collect() {
      // Without the database there is no number, and all others are told as ever.
      const unknown = delay(QUEUE_WAITED_FOR_MILLISECONDS, {}, { ref: false });
      const counted = await Promise.race([recentJobs().catch(() => ({})), unknown]);
      this.reset();
      for (const [state, count] of Object.entries(counted)) this.set({ state }, count);
    },
  });
  return {
    operations: new Counter({
      name: 'latchkey_operations_total',
      help: 'Fields of Query and Mutation that were asked for, by what became of them.',
      labelNames: ['field', 'outcome'],
      registers,
    }),
    operationSeconds: new Histogram({
      name: 'latchkey_operation_seconds',
      help: 'How long fields of Query and Mutation took.',
      labelNames: ['field'],
      buckets: OPERATION_SECONDS,
      registers,
    }),
    refusedRequests: new Counter({
      name: 'latchkey_refused_requests_total',
      help: 'Requests that were refused before anything of them ran.',
      labelNames: ['code'],
      registers,
    }),
    hashSeconds: new Histogram({
      name: 'latchkey_hash_seconds',
      help: 'How long a password hash took, without its wait for a turn.',
      buckets: HASH_SECONDS,
      registers,
    }),
    limited: new Counter({
      name: 'latchkey_limited_total',
      help: 'Attempts that a limit refused.',
      labelNames: ['limit'],
      registers,
    }),
    jobs: new Counter({
      name: 'latchkey_jobs_total',
      help: 'Tries of jobs, by what became of them.',
      labelNames: ['job', 'outcome'],
      registers,
    }),
    jobSeconds: new Histogram({
      name: 'latchkey_job_seconds',
      help: 'How long tries of jobs took.',
      labelNames: ['job'],
      buckets: JOB_SECONDS,
      registers,
    }),
    text: () => (cluster.isWorker ? metricsOfAllWorkers() : registry.metrics()),
    contentType: registry.contentType,
  };

  function gauge(name: string, help: string, value: () => number): void {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  }
}
