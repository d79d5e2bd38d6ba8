import { Refused } from './readers.ts';
import { type Values, type VariableName, variables } from './variables.ts';

/** The environment as it is read: each value on its own, and what is wrong so far. */
export interface EnvironmentReader {
  /** An empty variable counts as absent. */
  isGiven(name: VariableName): boolean;
  /** What the variable says. What it says when it is absent if it cannot be read, which is put down as a problem. */
  value<Name extends VariableName>(name: Name): Values[Name];
  /** The first name is the one to blame; nothing can be said while one of them could not be read. */
  demand(names: readonly [VariableName, ...VariableName[]], holds: boolean, requirement: string): void;
  /** A line for each variable that is wrong, in the order of `variables`, none of them repeating a value. */
  problems(): readonly string[];
}

export function readEnvironment(environment: Readonly<Record<string, string | undefined>>): EnvironmentReader {
  const problems = new Map<VariableName, string>();
  return {
    isGiven: (name) => (environment[name] ?? '') !== '',
    value(name) {
      const variable = variables[name];
      const text = environment[name] ?? '';
      if (text === '') return variable.valueWhenAbsent;
      const read = variable.read(text);
      if (!(read instanceof Refused)) return read;
      problems.set(name, `${name} ${read.requirement}`);
      return variable.valueWhenAbsent;
    },
    demand(names, holds, requirement) {
      if (holds || names.some((name) => problems.has(name))) return;
      problems.set(names[0], `${names[0]} ${requirement}`);
    },
    problems: () => inOrderOfDeclaration(problems),
  };
}

function inOrderOfDeclaration(problems: ReadonlyMap<string, string>): readonly string[] {
  return Object.keys(variables).flatMap((name) => problems.get(name) ?? []);
}
