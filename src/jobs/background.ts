import type { Logger } from 'pino';

export interface Background {
  /** Starts the work once the present turn is over. Its failure is logged under `name` and changes nothing. */
  run(name: string, work: () => Promise<void>): void;
  /** All that was started has ended. */
  drain(): Promise<void>;
}

/**
 * Work that an answer does not wait for, so that its time tells nothing. It lives and dies with the process: what must
 * not be lost does not belong here.
 */
export function createBackground(log: Logger): Background {
  const running = new Set<Promise<void>>();
  return {
    run,
    async drain() {
      while (running.size > 0) await Promise.all(running);
    },
  };

  function run(name: string, work: () => Promise<void>): void {
    const ended = new Promise<void>((resolve) => setImmediate(resolve))
      .then(work)
      .catch((error: unknown) => log.error({ work: name, err: error }, 'work in the background failed'))
      .finally(() => running.delete(ended));
    running.add(ended);
  }
}
