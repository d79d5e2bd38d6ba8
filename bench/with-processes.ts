interface Stoppable {
  stop(): Promise<void>;
}

/** What `work` comes to, after all that it has started is stopped again, the last first. */
export async function withProcesses<T>(
  work: (start: <Process extends Stoppable>(starting: Promise<Process>) => Promise<Process>) => Promise<T>,
): Promise<T> {
  const running: Stoppable[] = [];
  try {
    return await work(async (starting) => {
      const started = await starting;
      running.push(started);
      return started;
    });
  } finally {
    for (const process of running.reverse()) await process.stop();
  }
}
