import type { IncomingMessage, ServerResponse } from 'node:http';
import type { App } from '../app.ts';
import { type MailboxMail, readMailbox } from '../mail/mailbox.ts';
import { escapeHtml } from '../mail/render.ts';
import { isLoopbackHostname } from './origins.ts';
import { sendError, sendJson } from './send.ts';

export const MAILBOX_PATH = '/mailbox';
export const MAILBOX_JSON_PATH = '/mailbox.json';

/**
 * The mails of a service in development. Only outside production, only where mails do not leave the house, and only under a name that no foreign page can point
 * at us: whoever reads this can use every link in it (DNS rebinding).
 */
export async function sendMailbox(app: App, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (app.config.production || app.config.mailTransport !== 'mailbox' || !isOwnHost(app, request.headers.host)) {
    return sendError(response, 404, 'BAD_USER_INPUT', 'There is no mailbox here.');
  }
  let mails: readonly MailboxMail[];
  try {
    mails = await readMailbox(app);
  } catch (error) {
    app.log.error({ err: error }, 'the mailbox cannot be read');
    return sendError(response, 500, 'INTERNAL_SERVER_ERROR', 'The mailbox cannot be read.');
  }
  if (request.url?.startsWith(MAILBOX_JSON_PATH)) return sendJson(response, 200, mails);
  response.setHeader(
    'content-security-policy',
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
  );
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
  response.end(page(mails));
}

function isOwnHost(app: App, host: string | undefined): boolean {
  const url = URL.parse(`http://${host ?? ''}`);
  return url !== null && (isLoopbackHostname(url.hostname) || url.host === new URL(app.issuer.url).host);
}

function timeOf(instant: Date): string {
  return `${instant.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

function page(mails: readonly MailboxMail[]): string {
  const articles = mails.map(
    (mail) => `<article>
<header>
<h2>${escapeHtml(mail.subject)}</h2>
<p>to <b>${escapeHtml(mail.to)}</b></p>
<p>from ${escapeHtml(mail.from)}, <time>${timeOf(mail.sentAt)}</time></p>
</header>
${mail.html}
</article>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Mailbox · Latchkey</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 44rem; margin: 2rem auto; padding: 0 1rem; }
h1 { margin: 0; }
article { border: 1px solid color-mix(in srgb, currentColor 25%, transparent); border-radius: .5rem; padding: 1rem 1.25rem; margin: 1rem 0; overflow-wrap: anywhere; }
article > :last-child { margin-bottom: 0; }
header { border-bottom: 1px solid color-mix(in srgb, currentColor 15%, transparent); padding-bottom: .75rem; }
h2 { font-size: 1.1rem; line-height: 1.3; margin: 0 0 .25rem; }
header p { margin: 0; opacity: .75; font-size: .9rem; }
time { white-space: nowrap; }
</style>
</head>
<body>
<h1>Mailbox</h1>
<p>What this service would have sent, the newest first. Only in development.</p>
${articles.join('\n') || '<p>Nothing yet.</p>'}
</body>
</html>
`;
}
