/**
 * Asks at most once at a time, and not again for so many milliseconds after it has answered or failed: whoever asks
 * meanwhile gets what the last one got. So what it costs does not grow with how often it is wanted.
 */
export function recentAnswer<Answer>(milliseconds: number, ask: () => Promise<Answer>): () => Promise<Answer> {
  let answer: Promise<Answer> | null = null;
  let isGoodUntil = Number.POSITIVE_INFINITY;
  return () => {
    if (answer !== null && performance.now() < isGoodUntil) return answer;
    isGoodUntil = Number.POSITIVE_INFINITY;
    answer = ask().finally(() => {
      isGoodUntil = performance.now() + milliseconds;
    });
    return answer;
  };
}
