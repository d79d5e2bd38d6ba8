import { type DestinationStream, type Logger, pino } from 'pino';
import pretty from 'pino-pretty';
import type { Config } from './config.ts';

const MOST_CAUSES = 8;

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
    {
      level: logLevel,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: (error: unknown) => describeError(error) },
    },
    destination,
  );
}

/**
 * The words and the place of an error and of what caused it, without the values that clients hang on their errors.
 *
 * Never throws: what an operator's hook throws may have getters that throw, no text, or itself for a cause, and to fail
 * while logging a failure would end the process.
 */
function describeError(error: unknown, causesToFollow = MOST_CAUSES): unknown {
  try {
    if (!(error instanceof Error)) return { message: String(error) };
    const { name, message, stack, cause } = error;
    const code = 'code' in error ? error.code : undefined;
    const followed = cause !== undefined && causesToFollow > 0;
    return { name, code, message, stack, ...(followed && { cause: describeError(cause, causesToFollow - 1) }) };
  } catch {
    return { message: 'something that cannot be described was thrown' };
  }
}
