/** A mail with everything in it. */
export interface OutgoingMail {
  /** Of the row in `mails`: the same for every copy that goes out. */
  readonly id: string;
  /** As an RFC 5322 `msg-id`, made of the id, so that a receiver can tell a second copy. */
  readonly messageId: string;
  readonly from: string;
  /** Canonical. */
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** What takes mails out of here. */
export interface Mailer {
  /**
   * The mail is taken, and it is the other side's to deliver; or it may have been, when this fails or is aborted.
   *
   * @throws MailRefusedError, MailDeferredError, or whatever went wrong on the way
   */
  send(mail: OutgoingMail, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** The other side does not take this mail, now or later. */
export class MailRefusedError extends Error {
  override readonly name = 'MailRefusedError';
}

/** The other side asks for patience. */
export class MailDeferredError extends Error {
  override readonly name = 'MailDeferredError';
  readonly retryAfterSeconds: number;

  constructor(message: string, retryAfterSeconds: number, options?: ErrorOptions) {
    super(message, options);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
