import type { IncomingMessage, ServerResponse } from 'node:http';
import type { App } from '../app.ts';
import { type KeptMail, type MailboxMail, readMailbox } from '../mail/mailbox.ts';
import { mailboxPage } from './mailbox-page.ts';
import { isLoopbackHostname } from './origins.ts';
import { sendError, sendJson } from './send.ts';

export const MAILBOX_PATH = '/mailbox';
export const MAILBOX_JSON_PATH = '/mailbox.json';

/**
 * The mails of a service in development. Only outside production, only where mails stay in the database, and only under a
 * name that no foreign page can point at us (DNS rebinding): whoever reads this can use every link in it.
 */
export async function sendMailbox(app: App, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (app.config.production || app.config.mailTransport !== 'mailbox' || !isOwnHost(app, request.headers.host)) {
    return sendError(response, 404, 'BAD_USER_INPUT', 'There is no mailbox here.');
  }
  let mails: readonly KeptMail[];
  try {
    mails = await readMailbox(app);
  } catch (error) {
    app.log.error({ err: error }, 'the mailbox cannot be read');
    return sendError(response, 500, 'INTERNAL_SERVER_ERROR', 'The mailbox cannot be read.');
  }
  if (request.url?.startsWith(MAILBOX_JSON_PATH)) {
    return sendJson(response, 200, mails.flatMap(received));
  }
  response.setHeader(
    'content-security-policy',
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
  );
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
  response.end(mailboxPage(mails));
}

function isOwnHost(app: App, host: string | undefined): boolean {
  const url = URL.parse(`http://${host ?? ''}`);
  return url !== null && (isLoopbackHostname(url.hostname) || url.host === new URL(app.issuer.url).host);
}

/** As programs have it: no mail that was given up, and nothing that only the page says. */
function received({ state, abandonedReason: _, ...mail }: KeptMail): readonly MailboxMail[] {
  return state === 'abandoned' ? [] : [mail];
}
