import { setImmediate } from 'node:timers';
import DataLoader from 'dataloader';

/** As many as one statement answers: more would make each of them wait for all. */
const MOST_AT_ONCE = 64;

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
  const loader = new DataLoader(askAll, {
    cache: false,
    maxBatchSize: MOST_AT_ONCE,
    batchScheduleFn: (ask) => void setImmediate(ask),
  });
  return (question) => loader.load(question);
}
