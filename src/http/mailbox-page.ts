import { escapeHtml } from '../mail/escape-html.ts';
import type { KeptMail, MailState } from '../mail/mailbox.ts';

/**
 * Every mail with its HTML in a shadow root, which keeps its styles to itself, takes the height that it needs, and is
 * made by the parser alone: the page runs no script and frames nothing.
 */
export function mailboxPage(mails: readonly KeptMail[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Mailbox · Latchkey</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>Mailbox</h1>
<p>What this service sends, the newest first. Only in development: whoever sees this page can use the links.</p>
</header>
<main>
${mails.map(mailInPage).join('\n') || '<p>Nothing yet.</p>'}
</main>
</body>
</html>
`;
}

function mailInPage(mail: KeptMail, index: number): string {
  return `<article>
<details${index === 0 ? ' open' : ''}>
<summary>
<h2>${escapeHtml(mail.subject)}</h2>
<p class="to">${escapeHtml(mail.to)}</p>
<p class="when"><time datetime="${mail.sentAt.toISOString()}">${timeOf(mail.sentAt)}</time> <span class="state ${mail.state}">${escapeHtml(stateOf(mail))}</span></p>
</summary>
<p class="from">From ${escapeHtml(mail.from)}</p>
<div class="mail"><template shadowrootmode="open">${mail.html}</template></div>
<details class="text">
<summary>As text</summary>
<pre>${escapeHtml(mail.text)}</pre>
</details>
</details>
</article>`;
}

const stateNames: Record<MailState, string> = { owed: 'waiting', sent: 'sent', abandoned: 'not sent' };

function stateOf({ state, abandonedReason }: KeptMail): string {
  const reason = abandonedReason?.replaceAll('_', ' ');
  return reason ? `${stateNames[state]}: ${reason}` : stateNames[state];
}

function timeOf(instant: Date): string {
  return `${instant.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; --line: light-dark(#d5d9e0, #3a3f4a); --quiet: light-dark(#596070, #a5acb8); }
body { max-width: 44rem; margin: 0 auto; padding: 2rem 1rem 4rem; background: light-dark(#ffffff, #101216); color: light-dark(#1d2129, #e6e8ec); }
h1 { margin: 0; font-size: 1.75rem; line-height: 1.2; }
header p { margin: .25rem 0 1.5rem; color: var(--quiet); }
article { margin: .75rem 0; border: 1px solid var(--line); border-radius: .75rem; overflow: hidden; overflow-wrap: anywhere; }
summary { display: block; padding: .75rem 1rem; cursor: pointer; }
summary::-webkit-details-marker { display: none; }
article > details > summary { position: relative; padding-right: 2.75rem; }
article > details > summary::after { content: ''; position: absolute; top: 1.1rem; right: 1.25rem; width: .5rem; height: .5rem; border: solid var(--quiet); border-width: 0 2px 2px 0; rotate: 45deg; }
article > details[open] > summary::after { top: 1.35rem; rotate: 225deg; }
summary:hover { background: light-dark(#f3f4f7, #1a1d23); }
summary:focus-visible { outline: 2px solid light-dark(#2456c6, #8fb2ff); outline-offset: -2px; }
h2 { margin: 0; font-size: 1.0625rem; line-height: 1.35; }
summary p, .from { margin: .125rem 0 0; font-size: .9375rem; }
.to { font-weight: 500; }
.when, .from { color: var(--quiet); }
.when { display: flex; flex-wrap: wrap; gap: .25rem .75rem; font-size: .875rem; }
.state::before { content: ''; display: inline-block; width: .5rem; height: .5rem; margin-right: .375rem; border-radius: 50%; background: light-dark(#b7791f, #e0a94a); }
.state.sent::before { background: light-dark(#2f855a, #4fbf86); }
.state.abandoned::before { background: light-dark(#c53030, #f08080); }
.from { padding: 0 1rem .75rem; }
details[open] > summary { padding-bottom: .25rem; }
.mail { all: initial; display: block; color-scheme: light dark; border-block: 1px solid var(--line); }
.text summary { font-size: .9375rem; color: var(--quiet); text-decoration: underline; padding-block: .75rem; }
pre { margin: 0; padding: .25rem 1rem 1rem; font: .875rem/1.5 ui-monospace, monospace; white-space: pre-wrap; }
`;
