/**
 * The code of a result that is a refusal, undefined of any other. The plugin for errors hands on what it caught in a
 * wrapper that is no instance of anything.
 */
export function refusalCode(result: unknown): string | undefined {
  const isRefusal = typeof result === 'object' && result !== null && 'code' in result && 'message' in result;
  return isRefusal && typeof result.code === 'string' ? result.code : undefined;
}
