import type { App } from '../app.ts';
import type { User } from '../database/generated/client.ts';
import type { HookRequest, Hooks, HookUser, Verdict } from '../hooks.ts';

const VETO_TIMEOUT_MILLISECONDS = 5000;

type PostHook = 'postLogin' | 'postRegistration' | 'postVerification' | 'postPasswordReset' | 'postInvitationAccepted';

/** What hooks are told of a user: nothing that is secret. */
export function hookUser({ id, email, firstName, lastName, status, emailVerified, createdAt }: HookUser): HookUser {
  return { id, email, firstName, lastName, status, emailVerified, createdAt };
}

/** Whether a `pre` hook lets this pass. One that throws or does not answer within five seconds does not. */
export async function allows(app: App, name: keyof Hooks, ask: () => Verdict | Promise<Verdict>): Promise<boolean> {
  const { promise: timeout, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`no answer within ${VETO_TIMEOUT_MILLISECONDS} ms`)),
    VETO_TIMEOUT_MILLISECONDS,
  );
  try {
    return (await Promise.race([ask(), timeout])) !== false;
  } catch (error) {
    app.log.error({ hook: name, err: error }, 'a hook failed, and so refused');
    return false;
  } finally {
    clearTimeout(timer);
  }
}

/** Runs a `post` hook after the answer is decided; its failure is logged and changes nothing. */
export function runAfterwards(app: App, name: PostHook, user: User, request: HookRequest): void {
  const hook = app.hooks[name];
  if (hook === undefined) return;
  app.background.run(`hook ${name}`, async () => {
    await hook(hookUser(user), request);
  });
}
