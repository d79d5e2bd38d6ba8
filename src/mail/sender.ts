/** Whom mails are from. */
export const SENDER = { name: 'Latchkey', from: 'Latchkey <no-reply@localhost>' } as const;
