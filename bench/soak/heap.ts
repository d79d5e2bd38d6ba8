import { once } from 'node:events';
import { z } from 'zod';

/** The memory of another process of Node, by way of its inspector. */
export interface Heap {
  /** Of V8's heap, and of the buffers that it holds outside, when all garbage has been collected. */
  bytesLeft(): Promise<number>;
  close(): void;
}

const Targets = z.tuple([z.object({ webSocketDebuggerUrl: z.url() })]);
const Usage = z.object({ usedSize: z.number(), backingStorageSize: z.number() });
const Answer = z.object({ id: z.int(), result: z.unknown() });

/** What Node is told for the process to be looked into, on loopback. */
export function inspectorOption(port: number): string {
  return `--inspect=127.0.0.1:${port}`;
}

/** @see https://chromedevtools.github.io/devtools-protocol/v8/ */
export async function openHeap(port: number): Promise<Heap> {
  const targets = await (await fetch(`http://127.0.0.1:${port}/json/list`)).json();
  const [{ webSocketDebuggerUrl }] = Targets.parse(targets);
  const socket = new WebSocket(webSocketDebuggerUrl);
  await once(socket, 'open');
  let asked = 0;
  return {
    async bytesLeft() {
      await ask('HeapProfiler.collectGarbage');
      const { usedSize, backingStorageSize } = Usage.parse(await ask('Runtime.getHeapUsage'));
      return usedSize + backingStorageSize;
    },
    close: () => socket.close(),
  };

  function ask(method: string): Promise<unknown> {
    asked += 1;
    const id = asked;
    return new Promise((resolve, reject) => {
      socket.addEventListener('message', answer);
      socket.addEventListener('close', hangUp);
      socket.send(JSON.stringify({ id, method }));

      function answer({ data }: MessageEvent): void {
        const message = Answer.safeParse(JSON.parse(String(data)));
        if (message.data?.id !== id) return;
        socket.removeEventListener('message', answer);
        socket.removeEventListener('close', hangUp);
        resolve(message.data.result);
      }

      function hangUp(): void {
        reject(new Error(`the process hung up before it answered ${method}`));
      }
    });
  }
}
