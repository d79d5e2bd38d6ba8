import { IdentityError, ValidationError } from '../errors.ts';
import { describeFailure } from '../failure.ts';

/** A command cannot do what it was told, for a reason that whoever typed it can mend. One line. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

/** Why a command failed, for standard error: a line for each thing that can be mended, the stack of anything else. */
export function describeCommandFailure(error: unknown): string {
  if (error instanceof ValidationError) {
    return error.fields.map(({ path, message }) => `${path.at(-1)}: ${message}`).join('\n');
  }
  return error instanceof CommandError || error instanceof IdentityError ? error.message : describeFailure(error);
}
