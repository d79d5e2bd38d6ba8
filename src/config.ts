import { demandWhatFitsTogether } from './config/demands.ts';
import { readDevelopmentSecretKeys } from './config/development-secret.ts';
import { readEnvironment } from './config/environment.ts';
import { Refused } from './config/readers.ts';
import { readSettings } from './config/settings.ts';

/** All that the environment decides. Durations are in whole seconds. */
export type Config = ReturnType<typeof loadConfig>;

/**
 * What the environment asks for, checked as a whole. An empty variable counts as absent. `developmentSecretKey` is asked
 * only when nothing else is wrong, outside production, and without a SECRET_KEY.
 *
 * @throws {ConfigError} with every problem, in the order of `variables`, none of them repeating a value
 */
export function loadConfig(
  environment: Readonly<Record<string, string | undefined>>,
  developmentSecretKey: (dataDirectory: string) => string,
) {
  const reader = readEnvironment(environment);
  const settings = readSettings(reader);
  const secretKeys = reader.value('SECRET_KEY');
  demandWhatFitsTogether(reader, settings);
  const problems = reader.problems();
  if (problems.length > 0) throw new ConfigError(problems);

  const usedKeys = secretKeys ?? readDevelopmentSecretKeys(settings.dataDirectory, developmentSecretKey);
  if (usedKeys instanceof Refused) throw new ConfigError([`SECRET_KEY ${usedKeys.requirement}`]);
  /** The first of the secret keys makes, all verify. */
  return Object.freeze({ ...settings, secretKeys: usedKeys });
}

/** The service must not start: `problems` has one line for each variable that is wrong, and no value of any. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}
