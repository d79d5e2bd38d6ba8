import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it, onTestFinished } from 'vitest';
import { inspectorOption, openHeap } from '../../bench/soak/heap.ts';
import { freePort } from '../support/free-port.ts';

const BYTES = 200;
const REQUESTS = 20_000;

/** For each message it makes so many texts of its own, and keeps them, or only the last. */
const PROGRAM = `
  let kept = [];
  process.on('message', (isKept) => {
    for (let n = 0; n < ${REQUESTS}; n += 1) {
      const text = Buffer.alloc(${BYTES}, n).toString('latin1');
      if (isKept) kept.push(text);
      else kept = [text];
    }
    process.send('done');
  });
`;

it('the soak sees what is kept of every request, and none of the garbage', async () => {
  const port = await freePort();
  const child = spawn(process.execPath, [inspectorOption(port), '-e', `${PROGRAM}process.send('ready')`], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child, 'message');
  const heap = await openHeap(port);
  onTestFinished(() => heap.close());

  await work(false);
  const before = await heap.bytesLeft();
  await work(false);
  const afterGarbage = await heap.bytesLeft();
  await work(true);
  const afterLeak = await heap.bytesLeft();
  expect(Math.abs(afterGarbage - before) / REQUESTS).toBeLessThan(10);
  expect((afterLeak - afterGarbage) / REQUESTS).toBeGreaterThan(BYTES);

  async function work(isKept: boolean): Promise<void> {
    const done = once(child, 'message');
    child.send(isKept);
    await done;
  }
});
