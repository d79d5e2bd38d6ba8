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
      void shutDown(started, signal);
    } else if (performance.now() - shuttingDownSince > SAME_SIGNAL_MILLISECONDS) {
      cutOff({ signal }, 'another signal came');
    }
  };
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, onSignal);
  started = await start();
  return started;

  async function shutDown(running: Running, signal: string): Promise<void> {
    log.info({ signal }, 'shutting down');
    setTimeout(
      () => cutOff({ shutdownTimeoutSeconds }, 'they did not finish in time'),
      shutdownTimeoutSeconds * 1000,
    ).unref();
    await running.close();
    log.info('stopped');
    process.exit(0);
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
