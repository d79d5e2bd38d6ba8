import { z } from 'zod';
import type { App } from '../app.ts';
import { recordEvent } from '../audit/service.ts';
import { hashNewPassword, refuseWhileBusy } from '../auth/passwords.ts';
import { allows, runAfterwards } from '../auth/run-hooks.ts';
import { lockUserByEmail } from '../auth/user-lock.ts';
import type { Prisma, User } from '../database/generated/client.ts';
import { EmailTakenError, RateLimitedError } from '../errors.ts';
import { emailField, localeField, nameField, parseInput } from '../fields/input.ts';
import type { HookRequest } from '../hooks.ts';
import { clientNetwork } from '../limits/client-network.ts';
import { mayMail, queueMail } from '../mail/mailer.ts';
import { requireAcceptablePassword } from '../passwords/policy.ts';
import { insertUser } from '../users/insert.ts';
import { mailVerification } from '../verification/service.ts';
import { RegistrationClosedError } from './errors.ts';

export interface RegisterUserInput {
  readonly email: string;
  readonly password: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly locale?: string | null | undefined;
}

export interface Registration {
  /** Canonical. */
  readonly email: string;
  readonly verificationRequired: boolean;
  readonly activationRequired: boolean;
}

/** For an address that is taken whenever it is tried, and free whenever its owner is looked for. */
const MAX_ATTEMPTS = 5;
const RETRY_AFTER_SECONDS = 1;

const registerUserFields = z.object({
  email: emailField,
  firstName: nameField,
  lastName: nameField,
  locale: localeField.optional(),
});

/**
 * A free address has an account with the role `user`, on record, and is owed a mail to prove it. A taken one is owed a
 * mail that says so, at most three an hour, and nothing else has changed; that is on record, too. The answer is the same,
 * and so is the work, so that nobody learns who has an account; only without verification there is nothing to hide
 * behind.
 *
 * An address that was registered and never proven is taken like any other. Whoever it belongs to gets no second link from
 * this, but is told to ask for a new password: the one it has may be a stranger's, who registered first and waits for
 * the owner to open a link.
 *
 * @throws RegistrationClosedError also when the operator's hook refuses, which is on record
 * @throws ValidationError
 * @throws RateLimitedError after too many registrations from this client
 * @throws EmailTakenError with EMAIL_VERIFICATION=off
 */
export async function registerUser(app: App, request: HookRequest, input: RegisterUserInput): Promise<Registration> {
  const { registration, emailVerification } = app.config;
  if (registration === 'closed') throw new RegistrationClosedError();
  const { locale, ...fields } = parseInput(registerUserFields, input);
  requireAcceptablePassword(app, input.password, fields, ['input', 'password']);
  refuseWhileBusy(app);
  await app.registrationThrottle.countAttempt([`client:${clientNetwork(request.client.ipAddress ?? '')}`]);
  const { preRegistration } = app.hooks;
  if (preRegistration && !(await allows(app, 'preRegistration', () => preRegistration({ ...fields }, request)))) {
    await recordRefusal(app, app.db, request, { reason: 'vetoed', email: fields.email, ownerId: null });
    throw new RegistrationClosedError();
  }

  const passwordHash = await hashNewPassword(app, input.password);
  const user = await app.db.$transaction((transaction) =>
    insertOrRefuse(app, transaction, request, { ...fields, locale, passwordHash }),
  );
  if (user !== null) runAfterwards(app, 'postRegistration', user, request);
  else if (emailVerification === 'off') throw new EmailTakenError();
  return {
    email: fields.email,
    verificationRequired: emailVerification === 'required',
    activationRequired: registration === 'approval',
  };
}

interface Registered {
  readonly email: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly passwordHash: string;
  readonly locale?: string | null | undefined;
}

/** The new user, or null when somebody has the address, who has been told; one of the two is so for certain. */
async function insertOrRefuse(
  app: App,
  transaction: Prisma.TransactionClient,
  request: HookRequest,
  registered: Registered,
): Promise<User | null> {
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
    try {
      return await insertRegistered(app, transaction, request, registered);
    } catch (error) {
      if (!(error instanceof EmailTakenError)) throw error;
    }
    const ownerId = await lockUserByEmail(transaction, registered.email);
    if (ownerId !== null) {
      await refuseTaken(app, transaction, request, { email: registered.email, ownerId });
      return null;
    }
    // Whoever had the address has been deleted or moved away since.
  }
  throw new RateLimitedError(RETRY_AFTER_SECONDS);
}

async function insertRegistered(
  app: App,
  transaction: Prisma.TransactionClient,
  { client }: HookRequest,
  registered: Registered,
): Promise<User> {
  const status = app.config.registration === 'approval' ? 'PENDING' : 'ACTIVE';
  const user = await insertUser(app, transaction, {
    ...registered,
    status,
    remark: null,
    emailVerified: false,
    roleIds: [],
  });
  await recordEvent(transaction, {
    type: 'user.registered',
    at: user.createdAt,
    actorId: user.id,
    subjectId: user.id,
    email: user.email,
    client,
    data: { status },
  });
  if (app.config.emailVerification !== 'off') await mailVerification(app, transaction, user);
  return user;
}

async function refuseTaken(
  app: App,
  transaction: Prisma.TransactionClient,
  request: HookRequest,
  { email, ownerId }: { readonly email: string; readonly ownerId: string },
): Promise<void> {
  if (app.config.emailVerification !== 'off') {
    const mail = { kind: 'account_exists', recipient: email, userId: ownerId } as const;
    if (await mayMail(app, transaction, mail)) await queueMail(app, transaction, mail);
  }
  await recordRefusal(app, transaction, request, { reason: 'email_taken', email, ownerId });
}

interface Refusal {
  readonly reason: 'email_taken' | 'vetoed';
  readonly email: string;
  /** Whose address it is; null when nobody knows. */
  readonly ownerId: string | null;
}

function recordRefusal(
  app: App,
  transaction: Prisma.TransactionClient,
  { client }: HookRequest,
  { reason, email, ownerId }: Refusal,
): Promise<void> {
  return recordEvent(transaction, {
    type: 'registration.refused',
    at: app.now(),
    actorId: null,
    subjectId: ownerId,
    email,
    client,
    data: { reason },
  });
}
