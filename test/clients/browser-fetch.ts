import { parseSetCookie } from 'cookie';

export interface BrowserFetch {
  readonly fetch: typeof globalThis.fetch;
  /** The operations that the service was asked for, by name, in order. */
  readonly asked: readonly string[];
  /** The service answers this operation the next time, but the answer never arrives. */
  loseAnswerTo(operationName: string): void;
  /** The answer to this operation is on its way until it is let go. */
  holdAnswerTo(operationName: string): { letGo(): void };
}

/** What a browser adds to `fetch`: it keeps cookies and sends them along. And what a network adds: trouble. */
export function createBrowserFetch(): BrowserFetch {
  const cookies = new Map<string, string>();
  const asked: string[] = [];
  const delays = new Map<string, Promise<void>>();

  return {
    asked,

    async fetch(resource, { headers, ...options } = {}) {
      const { operationName } = JSON.parse(String(options.body));
      asked.push(operationName);
      const delay = delays.get(operationName);
      delays.delete(operationName);
      const sent = new Headers(headers);
      if (options.credentials === 'include') sent.set('cookie', [...cookies].map((pair) => pair.join('=')).join('; '));
      const response = await fetch(resource, { ...options, headers: sent });
      await delay;
      for (const line of response.headers.getSetCookie()) {
        const { name, value, expires } = parseSetCookie(line);
        if (value === undefined || (expires !== undefined && expires <= new Date())) cookies.delete(name);
        else cookies.set(name, value);
      }
      return response;
    },

    loseAnswerTo(operationName) {
      const lost = Promise.reject(new TypeError('Failed to fetch'));
      lost.catch(() => {});
      delays.set(operationName, lost);
    },

    holdAnswerTo(operationName) {
      const { promise, resolve } = Promise.withResolvers<void>();
      delays.set(operationName, promise);
      return { letGo: resolve };
    },
  };
}
