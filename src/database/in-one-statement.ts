import { setImmediate } from 'node:timers';

/** As many as one statement answers: more would make each of them wait for all. */
const MOST_AT_ONCE = 64;

interface Asked<Question, Answer> extends Pick<PromiseWithResolvers<Answer>, 'resolve' | 'reject'> {
  readonly question: Question;
}

/**
 * Asks alone what is asked alone, and together what is asked in one turn of the event loop, which under load is most of it:
 * one statement with ten keys takes little more than one with a single key. Nobody waits for others to come, and each
 * question is answered by a statement that began after it was asked. What fails the statement fails all of its questions.
 *
 * @param askAll answers in the order of the questions
 */
export function inOneStatement<Question, Answer>(
  askAll: (questions: readonly Question[]) => Promise<readonly Answer[]>,
): (question: Question) => Promise<Answer> {
  let gathered: Asked<Question, Answer>[] = [];
  return (question) => {
    if (gathered.length === 0) setImmediate(askGathered);
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    gathered.push({ question, resolve, reject });
    return promise;
  };

  function askGathered(): void {
    const all = gathered;
    gathered = [];
    for (let start = 0; start < all.length; start += MOST_AT_ONCE) void answer(all.slice(start, start + MOST_AT_ONCE));
  }

  async function answer(asked: readonly Asked<Question, Answer>[]): Promise<void> {
    try {
      const answers = await askAll(asked.map(({ question }) => question));
      for (const [place, answer] of answers.entries()) asked[place]?.resolve(answer);
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  }
}
