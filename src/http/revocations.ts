import type { ServerResponse } from 'node:http';
import { LRUCache } from 'lru-cache';
import type { App } from '../app.ts';
import { revocationList } from '../revocation-feed/service.ts';
import { sendError } from './send.ts';

export const REVOCATIONS_PATH = '/.well-known/revocations';

const MAX_AGE_SECONDS = 1;
const MOST_REMEMBERED = 100;

/** Answers with the signed list behind the `cursor` of the query. However many ask the same in a second, it is made once. */
export function createRevocationsSender(app: App) {
  const lists = new LRUCache<string, Promise<string | null>>({ max: MOST_REMEMBERED, ttl: MAX_AGE_SECONDS * 1000 });

  return async (query: string, response: ServerResponse): Promise<void> => {
    const cursor = new URLSearchParams(query).get('cursor');
    try {
      const list = await listBehind(cursor);
      if (list === null) return sendError(response, 400, 'BAD_USER_INPUT', 'This is no cursor of the list.');
      response.setHeader('cache-control', `public, max-age=${MAX_AGE_SECONDS}`);
      response.setHeader('access-control-allow-origin', '*');
      response.writeHead(200, { 'content-type': 'application/jwt', 'content-length': Buffer.byteLength(list) });
      response.end(response.req.method === 'HEAD' ? undefined : list);
    } catch (error) {
      app.log.error({ err: error }, 'the list of revocations cannot be read');
      sendError(response, 503, 'INTERNAL_SERVER_ERROR', 'The list cannot be read now.');
    }
  };

  function listBehind(cursor: string | null): Promise<string | null> {
    // No cursor is another question than an empty one.
    const key = cursor === null ? '' : `?${cursor}`;
    const known = lists.get(key);
    if (known !== undefined) return known;
    const list = revocationList(app, cursor);
    lists.set(key, list);
    // Of a failure nobody else need know.
    list.catch(() => lists.delete(key));
    return list;
  }
}
