import type { App } from '../app.ts';

const LOOPBACK_HOSTNAMES = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * Whether a page of this origin may send us operations: our own, those of CORS_ORIGINS, and in development any page
 * served from this very machine.
 */
export function isAllowedOrigin(app: App, origin: string): boolean {
  if (origin === new URL(app.issuer.url).origin || app.config.corsOrigins.includes(origin)) return true;
  return !app.config.production && URL.canParse(origin) && isLoopbackHostname(new URL(origin).hostname);
}

/** Whether this name, as a URL has it, is this very machine. */
export function isLoopbackHostname(hostname: string): boolean {
  return LOOPBACK_HOSTNAMES.has(hostname);
}
