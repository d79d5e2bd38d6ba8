import { describe, expect, it } from 'vitest';
import { readOptions } from '../../bench/options.ts';

describe('the options of the benchmark', () => {
  it('let everybody be measured for ten seconds, in turns, on both databases, unless they say otherwise', () => {
    expect(readOptions([])).toEqual({
      scenarios: new Set(['ready', 'statements', 'login', 'refresh', 'me', 'isolation', 'scale-out', 'bloat']),
      seconds: 2,
      rounds: 5,
      requests: 100_000,
      databases: new Set(['postgres', 'embedded']),
      publish: false,
      against: null,
    });
    expect(readOptions(['me', '--seconds', '3', '--rounds=4', '--database', 'embedded', '--publish'])).toMatchObject({
      scenarios: new Set(['me']),
      seconds: 3,
      rounds: 4,
      databases: new Set(['embedded']),
      publish: true,
    });
  });

  it.for([['--seconds', '0'], ['--rounds', '1.5'], ['--database', 'sqlite'], ['nothing'], ['--requests', '-1']])(
    'are refused when they are not understood: %s',
    (options) => expect(readOptions(options)).toBeNull(),
  );
});
