import type { Logger } from 'pino';

/** Ctrl-C comes twice under npm, which passes on what the terminal has sent to both; a person needs longer for that. */
const SAME_SIGNAL_MILLISECONDS = 1000;

interface Running {
  close(): Promise<void>;
}

interface Ending {
  readonly log: Logger;
  readonly shutdownTimeoutSeconds: number;
  /** What is cut off when closing takes too long. */
  readonly inFlight: string;
}

/**
 * What `start` begins runs until SIGTERM or SIGINT; then it is closed and the process ends, with 0 if that was in time.
 * Until it has started, a signal ends the process at once.
 *
 * An exception that nobody caught, such as one in a timer of a hook, is logged and ends it in the same way, but with 1: what
 * it has left behind cannot be known.
 */
export async function runUntilSignal<Started extends Running>(
  { log, shutdownTimeoutSeconds, inFlight }: Ending,
  start: () => Promise<Started>,
): Promise<Started> {
  let started: Started | null = null;
  let shuttingDownSince: number | null = null;
  const onSignal = (signal: string) => {
    if (started === null) return stopStarting(log, signal);
    if (shuttingDownSince === null) {
      shuttingDownSince = performance.now();
      void shutDown(started, { signal }, 0);
    } else if (performance.now() - shuttingDownSince > SAME_SIGNAL_MILLISECONDS) {
      cutOff({ signal }, 'another signal came');
    }
  };
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, onSignal);
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'an exception that nobody caught');
    if (started === null) process.exit(1);
    if (shuttingDownSince !== null) return;
    shuttingDownSince = performance.now();
    void shutDown(started, { reason: 'an exception that nobody caught' }, 1);
  });
  started = await start();
  return started;

  async function shutDown(running: Running, why: object, exitCode: number): Promise<void> {
    log.info(why, 'shutting down');
    setTimeout(
      () => cutOff({ shutdownTimeoutSeconds }, 'they did not finish in time'),
      shutdownTimeoutSeconds * 1000,
    ).unref();
    await running.close();
    log.info('stopped');
    process.exit(exitCode);
  }

  function cutOff(details: object, reason: string): never {
    log.error(details, `${inFlight} were cut off: ${reason}`);
    process.exit(1);
  }
}

/** The first process of a container gets no signal that it does not handle, so not even this can be left to Node.js. */
function stopStarting(log: Logger, signal: string): never {
  log.info({ signal }, 'stopped before it was ready');
  process.exit(0);
}
