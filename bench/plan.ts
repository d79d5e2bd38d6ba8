import { z } from 'zod';

/** What a process that makes load is told. */
export const Plan = z.object({
  /** Of the service, or of the floors' server. */
  url: z.string(),
  /** Of the process that does the work; null: the one that is told. */
  pid: z.int().nullable(),
  /** Of the database's server; null when it has none of its own. */
  databasePid: z.int().nullable(),
  /** For floors that need no server. */
  database: z.object({ databaseUrl: z.string().nullable(), dataDirectory: z.string() }),
  seconds: z.number().positive(),
  /** How many are sent, evenly spread, whatever the answers take; null: each as soon as the one before is answered. */
  perSecond: z.number().positive().nullable(),
  /** Who do it at the same time, each on a connection. */
  people: z.array(z.object({ id: z.string(), email: z.string(), password: z.string(), passwordHash: z.string() })),
  /** Whom those speak for, one after another, in scenarios of many users; without a token where they sign in. */
  crowd: z.array(z.object({ email: z.string(), password: z.string(), refreshToken: z.string() })),
});

export type Plan = z.infer<typeof Plan>;
export type Person = Plan['people'][number];
export type Member = Plan['crowd'][number];

/** What it tells when it is done. */
export const Sample = z.object({
  /** Of every answer, each of which was a success. */
  latenciesMilliseconds: z.instanceof(Float64Array),
  elapsedSeconds: z.number().positive(),
  /** What the process that did the work took of the processor meanwhile; null where the system does not tell. */
  processorSeconds: z.number().nullable(),
  /** The same of the database's server. */
  databaseProcessorSeconds: z.number().nullable(),
});

export type Sample = z.infer<typeof Sample>;
