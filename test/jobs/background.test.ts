import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { createBackground } from '../../src/jobs/background.ts';

function backgroundWithLog() {
  const log: { work?: string; msg: string }[] = [];
  const destination = { write: (line: string) => void log.push(JSON.parse(line)) };
  return { background: createBackground(pino({}, destination)), log };
}

describe('createBackground', () => {
  it('starts nothing before the present turn is over', async () => {
    const { background } = backgroundWithLog();
    const steps: string[] = [];
    background.run('work', async () => void steps.push('work'));
    steps.push('answer');
    await Promise.resolve();
    expect(steps).toEqual(['answer']);
    await background.drain();
    expect(steps).toEqual(['answer', 'work']);
  });

  it('logs a failure under its name, and goes on', async () => {
    const { background, log } = backgroundWithLog();
    background.run('first', () => Promise.reject(new Error('out of order')));
    background.run('second', () => {
      throw new Error('out of order');
    });
    await background.drain();
    expect(log).toEqual([
      expect.objectContaining({ work: 'first', msg: 'work in the background failed' }),
      expect.objectContaining({ work: 'second', msg: 'work in the background failed' }),
    ]);
  });

  it('is drained when what was started meanwhile has ended, too', async () => {
    const { background } = backgroundWithLog();
    let ended = 0;
    background.run('first', async () => {
      background.run('second', async () => {
        ended += 1;
      });
      ended += 1;
    });
    await background.drain();
    expect(ended).toBe(2);
  });
});
