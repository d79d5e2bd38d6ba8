// What a person would write who wants nothing but these operations and their speed: `node:http`, Yoga without plugins,
// a schema made by hand, `pg`.

import '../../src/thread-pool.ts';
import { createServer, type IncomingMessage } from 'node:http';
import { createYoga } from 'graphql-yoga';
import { serveFloor } from './serve-floor.ts';
import { type FloorContext, floorSchema } from './yoga-schema.ts';

await serveFloor(({ pool, hashGate }) => {
  const yoga = createYoga<{ req: IncomingMessage }, FloorContext>({
    schema: floorSchema,
    context: ({ req }) => ({ pool, hashGate, authorization: req.headers.authorization ?? null }),
    logging: false,
    batching: false,
    multipart: false,
    landingPage: false,
    graphiql: false,
    cors: false,
  });
  return createServer(yoga);
});
