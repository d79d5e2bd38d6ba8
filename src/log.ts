import { type DestinationStream, type Logger, pino } from 'pino';
import pretty from 'pino-pretty';
import type { Config } from './config.ts';

/**
 * JSON lines on standard output, or something pretty when that is a terminal in development. Nothing here redacts:
 * what is secret is never handed to it, which a test with canaries checks.
 */
export function createLog({ logLevel, production }: Pick<Config, 'logLevel' | 'production'>): Logger {
  const destination: DestinationStream =
    process.stdout.isTTY && !production
      ? pretty({ sync: true, ignore: 'pid,hostname' })
      : pino.destination({ fd: 1, sync: true });
  return pino(
    { level: logLevel, timestamp: pino.stdTimeFunctions.isoTime, serializers: { err: describeError } },
    destination,
  );
}

/** The words and the place of an error and of what caused it, without the values that clients hang on their errors. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { message: String(error) };
  const { name, message, stack, cause } = error;
  const code = 'code' in error ? error.code : undefined;
  return { name, code, message, stack, ...(cause !== undefined && { cause: describeError(cause) }) };
}
