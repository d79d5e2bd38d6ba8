import type { App } from '../app.ts';
import { recordEvent } from '../audit/service.ts';
import { allows, runAfterwards } from '../auth/run-hooks.ts';
import { findSignedIn } from '../auth/signed-in.ts';
import type { HookRequest } from '../hooks.ts';
import { clientNetwork } from '../limits/client-network.ts';
import { RegistrationClosedError } from '../registration/errors.ts';
import { findReplaced } from '../sessions/replace.ts';
import { type IssuedTokens, issueTokens } from '../sessions/tokens.ts';
import { checkIdToken, countRefusal, type IdTokenInput, type Presented, refusedToken } from './check-id-token.ts';
import { createUser, refuseTaken } from './create-user.ts';
import { InvalidIdTokenError } from './errors.ts';
import { type NewUser, type Plan, planLogIn } from './plan.ts';
import { type Refusal, recordFailedLogIn, refusalByState, refusalOf } from './refusal.ts';
import { type Outcome, signIn } from './sign-in.ts';
import { consumeIdToken, forgetUsedTokens } from './used-tokens.ts';

/** While one is carried out, others may change what it was made from. */
const MOST_PLANS = 3;

/**
 * A new session for the user whose identity the token proves, on record together with the sign-in; the token has been
 * used, whatever the answer is. A person without an account gets one where the provider is trusted with that
 * (`autoCreate`) and registration allows it. Of any number at once for one identity one user is made.
 *
 * An account whose address nobody had proven is the owner's alone from then on; see `proveAddress`.
 *
 * @param cookie the refresh token of the browser, whose session ends with it; null without one
 * @throws UnknownProviderError
 * @throws InvalidIdTokenError also when the token was used before, nobody is known by it, the provider cannot be
 *   reached, or the operator's hook refuses
 * @throws RegistrationClosedError also when the operator's hook refuses
 * @throws EmailNotVerifiedError
 * @throws UserInactiveError
 * @throws RateLimitedError after too many failures from this client, or too many new accounts
 * @see OpenID Connect Core 1.0 §5.7: only issuer and subject together name a person
 */
export async function logInWithOAuth(
  app: App,
  request: HookRequest,
  input: IdTokenInput,
  cookie: string | null,
): Promise<IssuedTokens> {
  const presented = await checkIdToken(app, request.client, null, input);
  const sessionId = await openedSession(app, request, presented, cookie);
  forgetUsedTokens(app);
  const signedIn = await findSignedIn(app, sessionId, app.now());
  // It has ended already, by whatever ends all sessions at the same instant.
  if (signedIn === null) throw new InvalidIdTokenError();
  runAfterwards(app, 'postLogin', signedIn.user, request);
  return issueTokens(app, signedIn, app.now());
}

async function openedSession(
  app: App,
  request: HookRequest,
  presented: Presented,
  cookie: string | null,
): Promise<string> {
  const { client } = request;
  for (let attempt = 1; attempt <= MOST_PLANS; attempt += 1) {
    const outcome = await carryOut(app, request, presented, await planLogIn(app, presented), cookie).catch(
      async (error) => {
        throw await refusedToken(app, client, null, { provider: presented.provider.name, error });
      },
    );
    if (outcome === null) continue;
    if ('sessionId' in outcome) return outcome.sessionId;
    if (outcome.error instanceof InvalidIdTokenError) await countRefusal(app, client);
    throw outcome.error;
  }
  throw new InvalidIdTokenError();
}

async function carryOut(
  app: App,
  request: HookRequest,
  presented: Presented,
  plan: Plan,
  cookie: string | null,
): Promise<Outcome> {
  const { client } = request;
  if (plan.kind === 'unknown') {
    return refuse(app, request, presented, { reason: 'no_account', error: new InvalidIdTokenError() });
  }
  if (plan.kind === 'closed') {
    return refuse(app, request, presented, { reason: 'registration_closed', error: new RegistrationClosedError() });
  }
  if (plan.kind === 'new') return register(app, request, presented, plan, cookie);
  const { user, provesAddress } = plan;
  const refusal = await refusalOf(app, request, { ...user, emailVerified: user.emailVerified || provesAddress });
  request.signal.throwIfAborted();
  return signIn(app, { plan, presented, refusal, client, replaced: await findReplaced(app, cookie) });
}

/** A refused registration does the same for a free and for a taken address. */
async function register(
  app: App,
  request: HookRequest,
  presented: Presented,
  plan: NewUser,
  cookie: string | null,
): Promise<Outcome> {
  const { client } = request;
  const { user, isTaken } = plan;
  const throttleKeys = [`client:${clientNetwork(client.ipAddress ?? '')}`];
  (await app.registrationThrottle.read(throttleKeys)).refuseIfExhausted(throttleKeys);
  const { preRegistration } = app.hooks;
  const { email, firstName, lastName } = user;
  const registrant = { email, firstName, lastName };
  if (preRegistration && !(await allows(app, 'preRegistration', () => preRegistration(registrant, request)))) {
    return refuseVetoed(app, request, presented, email);
  }
  if (isTaken) {
    await app.registrationThrottle.countFailure(throttleKeys);
    return refuseTaken(app, { user, presented, refusal: refusalByState(app, user), client });
  }
  const refusal = await refusalOf(app, request, user);
  request.signal.throwIfAborted();
  const replaced = await findReplaced(app, cookie);
  const outcome = await createUser(app, { user, presented, refusal, client, replaced });
  if (outcome === null) return null;
  // Counted when it is made: many sign-ins at once, of one person, make one.
  await app.registrationThrottle.countFailure(throttleKeys);
  runAfterwards(app, 'postRegistration', user, request);
  return outcome;
}

function refuse(app: App, { client }: HookRequest, presented: Presented, refusal: Refusal): Promise<Outcome> {
  const { provider, token } = presented;
  return app.db.$transaction(async (transaction) => {
    await consumeIdToken(transaction, token);
    await recordFailedLogIn(app, transaction, { provider, user: null, client, refusal });
    return { error: refusal.error };
  });
}

function refuseVetoed(
  app: App,
  { client }: HookRequest,
  { provider, token }: Presented,
  email: string,
): Promise<Outcome> {
  return app.db.$transaction(async (transaction) => {
    await consumeIdToken(transaction, token);
    await recordEvent(transaction, {
      type: 'registration.refused',
      at: app.now(),
      actorId: null,
      subjectId: null,
      email,
      client,
      data: { reason: 'vetoed', provider: provider.name },
    });
    return { error: new RegistrationClosedError() };
  });
}
