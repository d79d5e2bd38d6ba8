import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

/**
 * Leaves `N passed, N failed` in the file when a run has ended. A file that cannot be loaded, a hook that throws and an
 * error outside of every test count as one failure each: a run that failed never says "0 failed".
 */
export function tallyInto(file: string): Reporter {
  return {
    onTestRunEnd(modules, unhandledErrors, reason) {
      const failures = sum(modules, failuresOf) + unhandledErrors.length;
      const failed = reason === 'passed' ? failures : Math.max(failures, 1);
      writeFileSync(file, `${sum(modules, passesOf)} passed, ${failed} failed\n`);
    },
  };
}

function passesOf(module: TestModule): number {
  return [...module.children.allTests('passed')].length;
}

function failuresOf(module: TestModule): number {
  const brokenSuites = [module, ...module.children.allSuites()].filter((suite) => suite.errors().length > 0);
  return [...module.children.allTests('failed')].length + brokenSuites.length;
}

function sum(modules: readonly TestModule[], count: (module: TestModule) => number): number {
  return modules.reduce((total, module) => total + count(module), 0);
}
