import type { ZodType } from 'zod';

/** What it takes to enqueue a job: its name, the form of its payload, and how often it is tried. */
export interface JobReference<Payload> {
  /** Unique, and for good: it stands in the queue beside the payload. */
  readonly name: string;
  /** Ids and addresses, never a secret: it is kept in the database as it is. */
  readonly payload: ZodType<Payload>;
  /** Counted with those that a crash cut short. */
  readonly tries: number;
}

export interface Retries {
  /** Before the second try; doubled before each further one. */
  readonly firstDelaySeconds: number;
  readonly longestDelaySeconds: number;
}

/** A job as it is written. `Context` is what it stands on, such as the App. */
export interface JobDefinition<Context, Payload> extends JobReference<Payload> {
  readonly retries: Retries;
  /** Due by itself, with the payload `{}`, once in each span of so many seconds, however many instances there are. */
  readonly everySeconds?: number;
  /**
   * Does the work, perhaps more than once: the process may be killed between the work and its record. Throwing asks for
   * another try. `signal` aborts when the time of a try is over, or the process stops.
   */
  readonly run: (context: Context, payload: Payload, signal: AbortSignal) => Promise<void>;
  /** After the last try: nothing more will be done. */
  readonly gaveUp?: (context: Context, payload: Payload) => Promise<void>;
}

/** A job as a worker runs it, from a payload that was read from the queue. */
export interface Job<Context> extends JobReference<unknown> {
  readonly retries: Retries;
  /** Null: only when it is enqueued. */
  readonly everySeconds: number | null;
  readonly run: (context: Context, payload: unknown, signal: AbortSignal) => Promise<void>;
  readonly gaveUp: (context: Context, payload: unknown) => Promise<void>;
}

/** Defined in the file of the function that enqueues it, and listed in worker.ts. */
export function defineJob<Context, Payload>(
  definition: JobDefinition<Context, Payload>,
): JobReference<Payload> & { readonly work: Job<Context> } {
  const { name, payload, tries, retries, everySeconds = null, run, gaveUp } = definition;
  return {
    name,
    payload,
    tries,
    work: {
      name,
      payload,
      tries,
      retries,
      everySeconds,
      run: async (context, given, signal) => run(context, read(given), signal),
      gaveUp: async (context, given) => gaveUp?.(context, read(given)),
    },
  };

  function read(given: unknown): Payload {
    const { success, data, error } = payload.safeParse(given);
    if (!success) throw new UnreadablePayloadError(name, { cause: error });
    return data;
  }
}

/** What is in the queue is not what this release of the job can do: no further try will change that. */
export class UnreadablePayloadError extends Error {
  override readonly name = 'UnreadablePayloadError';

  constructor(job: string, options: ErrorOptions) {
    super(`this is no payload of ${job}`, options);
  }
}

/** Thrown by a job that knows when to try again: not before `seconds` from now, and not before its own delay either. */
export class RetryLaterError extends Error {
  override readonly name = 'RetryLaterError';
  readonly seconds: number;

  constructor(message: string, seconds: number, options?: ErrorOptions) {
    super(message, options);
    this.seconds = seconds;
  }
}

const JITTER = 0.2;

/**
 * How long after its nth try a job waits for the next, at least as long as was asked for. Spread a little, so that what
 * failed together does not come back together.
 *
 * @param random from 0 to 1
 */
export function delaySeconds(
  { firstDelaySeconds, longestDelaySeconds }: Retries,
  tries: number,
  askedForSeconds: number,
  random: number,
): number {
  const delay = Math.min(firstDelaySeconds * 2 ** (tries - 1), longestDelaySeconds);
  return Math.ceil(Math.max(delay * (1 - JITTER), askedForSeconds) + delay * JITTER * 2 * random);
}
