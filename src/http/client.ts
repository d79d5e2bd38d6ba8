import type { IncomingMessage } from 'node:http';
import proxyAddress from 'proxy-addr';
import type { Client } from '../audit/service.ts';

const MAX_USER_AGENT_LENGTH = 512;
const UNPRINTABLE = /[^\x20-\x7e\xa0-\xff]/g;

/**
 * Where a request came from. Of X-Forwarded-For only what `trustedHops` proxies in front of us have added is believed,
 * since everything to the left of it is the client's own invention.
 */
export function clientOf(request: IncomingMessage, requestId: string, trustedHops: number): Client {
  return {
    ipAddress: proxyAddress(request, (_address, hop) => hop < trustedHops) ?? null,
    userAgent: request.headers['user-agent']?.replace(UNPRINTABLE, '').slice(0, MAX_USER_AGENT_LENGTH) || null,
    requestId,
  };
}
