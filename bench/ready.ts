import type { DatabaseKind, Location } from './databases/database.ts';
import { memoryOf } from './memory.ts';
import { startService } from './service-process.ts';

export interface Readiness {
  readonly database: string;
  /** `first`: nothing is there yet, so tables, keys and the first administrator are made. */
  readonly boot: 'first' | 'warm';
  /** Of each boot. */
  readonly readySeconds: readonly number[];
  /** Of the last boot, until it was ready; null where the system does not tell. */
  readonly peakMebibytes: number | null;
}

const FIRST_BOOTS = 3;
const WARM_BOOTS = 5;

/** How long the service takes from the start of its process until it is ready, on new databases and on one it knows. */
export async function measureReadiness(
  kind: DatabaseKind,
  { root, environment }: { readonly root: string; readonly environment: Readonly<Record<string, string>> },
): Promise<readonly Readiness[]> {
  const empty: Location[] = [];
  while (empty.length < FIRST_BOOTS) empty.push(await kind.create());
  const [known] = empty;
  return [
    await boot('first', empty),
    await boot(
      'warm',
      Array.from({ length: WARM_BOOTS }).flatMap(() => known ?? []),
    ),
  ];

  async function boot(name: Readiness['boot'], databases: readonly Location[]): Promise<Readiness> {
    const readySeconds: number[] = [];
    let peakMebibytes: number | null = null;
    for (const database of databases) {
      const service = await startService({ root, database, environment });
      readySeconds.push(service.readySeconds);
      ({ peakMebibytes } = memoryOf(service.pid));
      await service.stop();
    }
    return { database: kind.name, boot: name, readySeconds, peakMebibytes };
  }
}
