import type { TestService } from '../support/service.ts';

/** Whoever has a mailbox: a service of the test, or a process. */
type Mailbox = Pick<TestService, 'url'>;

/** As `/mailbox.json` has it. */
export interface ReceivedMail {
  readonly id: string;
  readonly to: string;
  readonly from: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly sentAt: string;
}

/** The mails in the mailbox of development, the newest first. */
export async function mailsIn(service: Mailbox): Promise<readonly ReceivedMail[]> {
  const response = await fetch(`${service.url}/mailbox.json`);
  if (response.status !== 200) throw new Error(`no mailbox: ${await response.text()}`);
  return (await response.json()) as readonly ReceivedMail[];
}

/** Those to one address. */
export async function mailsTo(service: Mailbox, address: string): Promise<readonly ReceivedMail[]> {
  return (await mailsIn(service)).filter(({ to }) => to === address);
}

/** The link of a mail that is expected to have one, and only one. */
export function linkIn({ text }: ReceivedMail): URL {
  const [link = '', ...others] = text.match(/^https?:\/\/\S+$/gm) ?? [];
  if (link === '' || others.length > 0) throw new Error(`not one link: ${text}`);
  return new URL(link);
}

/** The token in the newest link that went to this address. */
export async function newestTokenTo(service: Mailbox, address: string): Promise<string> {
  const mail = (await mailsTo(service, address)).find(({ text }) => /^https?:/m.test(text));
  if (mail === undefined) throw new Error(`no link was sent to ${address}`);
  return linkIn(mail).searchParams.get('token') ?? '';
}
