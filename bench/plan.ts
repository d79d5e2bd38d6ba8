import { z } from 'zod';

/** What a process that makes load is told. */
export const Plan = z.object({
  /** Of the service, or of the floors' server. */
  url: z.string(),
  /** Of the process that does the work; null: the one that is told. */
  pid: z.int().nullable(),
  /** For floors that need no server. */
  database: z.object({ databaseUrl: z.string().nullable(), dataDirectory: z.string() }),
  seconds: z.number().positive(),
  /** Who do it at the same time. */
  people: z.array(z.object({ id: z.string(), email: z.string(), password: z.string(), passwordHash: z.string() })),
});

export type Plan = z.infer<typeof Plan>;
export type Person = Plan['people'][number];

/** What it tells when it is done. */
export const Sample = z.object({
  /** Of every answer, each of which was a success. */
  latenciesMilliseconds: z.instanceof(Float64Array),
  elapsedSeconds: z.number().positive(),
  /** What the process that did the work took of the processor meanwhile; null where the system does not tell. */
  processorSeconds: z.number().nullable(),
});

export type Sample = z.infer<typeof Sample>;
