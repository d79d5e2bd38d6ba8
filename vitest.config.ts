import { defineConfig } from 'vitest/config';
import { tallyInto } from './test/support/tally.ts';

const { TEST_TALLY_FILE } = process.env;

export default defineConfig({
  // One GraphQL for all: packages that `require` it and code that imports it would otherwise get two, whose types refuse
  // each other ("from another module or realm").
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/support/databases.ts',
    pool: 'forks',
    // By default two cores get one. But much of the time a test waits: for a process to start, for a claim to lapse.
    maxWorkers: 2,
    // Two slow cores that also run PostgreSQL; real processes and embedded databases start in a hook.
    testTimeout: 20_000,
    hookTimeout: 40_000,
    reporters: TEST_TALLY_FILE ? ['default', tallyInto(TEST_TALLY_FILE)] : ['default'],
  },
});
