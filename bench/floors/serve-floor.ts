import { once } from 'node:events';
import type { Server } from 'node:http';
import { availableParallelism } from 'node:os';
import type pg from 'pg';
import { openDatabase } from '../../src/database/client.ts';
import { createHashGate, type HashGate } from '../../src/limits/hash-gate.ts';
import { Plan } from '../plan.ts';

interface FloorParts {
  readonly pool: pg.Pool;
  readonly hashGate: HashGate;
}

/** The life of a process that is a floor: it is told its database, tells its address, and ends with whoever started it. */
export async function serveFloor(createFloor: (parts: FloorParts) => Server): Promise<never> {
  const [message] = await once(process, 'message');
  const { pool, close } = await openDatabase(Plan.shape.database.parse(message));
  // As many hashes at once as the service lets through.
  const hashGate = createHashGate({ concurrency: availableParallelism(), maxQueued: Number.POSITIVE_INFINITY });
  const server = createFloor({ pool, hashGate });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  process.send?.(server.address());

  await once(process, 'disconnect');
  await close();
  process.exit();
}
