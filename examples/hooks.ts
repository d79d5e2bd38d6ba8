// Hooks of an operator: only people of one domain may register, and another service is told of each new account, also of
// those that come by invitation, for whom the domain makes no difference, and of each password that was reset.
//
//   HOOKS_MODULE=examples/hooks.ts REGISTRATION_DOMAIN=example.com \
//   WEBHOOK_URL=https://crm.example.com/accounts WEBHOOK_TOKEN=… npm start
//
// Types are all that it takes from Latchkey, so it runs wherever it is put.

import type { HookRequest, HookUser, Registrant, Verdict } from '../src/hooks.ts';

const WEBHOOK_TIMEOUT_MILLISECONDS = 10_000;

const { REGISTRATION_DOMAIN = '', WEBHOOK_URL = '', WEBHOOK_TOKEN = '' } = process.env;
// What is thrown here keeps the service from starting, and the operator reads it.
if (REGISTRATION_DOMAIN === '') throw new Error('set REGISTRATION_DOMAIN, such as example.com');
if (!URL.canParse(WEBHOOK_URL) || WEBHOOK_TOKEN === '') throw new Error('set WEBHOOK_URL and WEBHOOK_TOKEN');

/** Addresses come in canonical form: lower case, the domain in ASCII. */
export function preRegistration({ email }: Registrant): Verdict {
  return email.endsWith(`@${REGISTRATION_DOMAIN}`);
}

export function postRegistration(user: HookUser, request: HookRequest): Promise<void> {
  return tell('user.registered', user, request, user.id);
}

export function postInvitationAccepted(user: HookUser, request: HookRequest): Promise<void> {
  return tell('invitation.accepted', user, request, user.id);
}

export function postPasswordReset(user: HookUser, request: HookRequest): Promise<void> {
  return tell('user.password_reset', user, request, request.id);
}

/** A failure is logged and not tried again. Not with the request's signal: what was done stays when the client has left. */
async function tell(event: string, user: HookUser, request: HookRequest, idempotencyKey: string): Promise<void> {
  const response = await fetch(WEBHOOK_URL, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${WEBHOOK_TOKEN}`,
      'idempotency-key': idempotencyKey,
      'x-request-id': request.id,
    },
    body: JSON.stringify({ event, user }),
    redirect: 'error',
    signal: AbortSignal.timeout(WEBHOOK_TIMEOUT_MILLISECONDS),
  });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`the webhook answered ${response.status}`);
}
