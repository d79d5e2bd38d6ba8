import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { inOneStatement } from '../../src/database/in-one-statement.ts';

function doubling() {
  const statements: (readonly number[])[] = [];
  const double = inOneStatement(async (numbers: readonly number[]) => {
    statements.push(numbers);
    return numbers.map((number) => number * 2);
  });
  return { statements, double };
}

describe('inOneStatement', () => {
  it('asks together what is asked in one turn, and gives everybody their own answer', async () => {
    const { statements, double } = doubling();
    expect(await Promise.all([1, 2, 2, 3].map(double))).toEqual([2, 4, 4, 6]);
    expect(statements).toEqual([[1, 2, 2, 3]]);
  });

  it('answers with nothing that it read before it was asked', async () => {
    let stored = 'old';
    const { promise: read, resolve: haveRead } = Promise.withResolvers<void>();
    const { promise: mayAnswer, resolve: letAnswer } = Promise.withResolvers<void>();
    const ask = inOneStatement(async (questions: readonly string[]) => {
      const answers = questions.map(() => stored);
      haveRead();
      await mayAnswer;
      return answers;
    });
    const before = ask('?');
    await read;
    stored = 'new';
    const after = ask('?');
    await nextTurn();
    letAnswer();
    expect(await Promise.all([before, after])).toEqual(['old', 'new']);
  });

  it('asks for no more than 64 at once', async () => {
    const { statements, double } = doubling();
    await Promise.all(Array.from({ length: 130 }, (_, number) => double(number)));
    expect(statements.map(({ length }) => length)).toEqual([64, 64, 2]);
  });

  it('fails all of a statement that failed, and none of the next', async () => {
    let isBroken = true;
    const ask = inOneStatement(async (questions: readonly string[]) => {
      if (isBroken) throw new Error('the connection broke');
      return questions;
    });
    const answers = await Promise.allSettled(['a', 'b'].map(ask));
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    isBroken = false;
    expect(await ask('c')).toBe('c');
  });
});
