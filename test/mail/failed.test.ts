import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { register, registrant } from '../registration/operations.ts';
import { cliScript, run } from '../support/process.ts';
import { startTestService, type TestService, testEnvironment } from '../support/service.ts';
import { type SmtpSink, startSmtpSink } from '../support/smtp-sink.ts';

const TRIES = 12;

let sink: SmtpSink;
let service: TestService;

beforeAll(async () => {
  sink = await startSmtpSink();
  service = await startTestService({ environment: { MAIL_TRANSPORT: 'smtp', SMTP_URL: sink.url } });
});
afterAll(async () => {
  await service.close();
  await sink.close();
});

function mails(...parameters: string[]) {
  const environment = { ...testEnvironment, DATABASE_URL: service.app.config.databaseUrl ?? '' };
  return run(cliScript, ['mails', ...parameters], { environment });
}

function owedTo(recipient: string) {
  return service.app.db.mail.findFirstOrThrow({ where: { recipient } });
}

describe('mails that cannot be sent', () => {
  const [refused, givenUp] = ['refused@latchkey.test', 'given-up@latchkey.test'];

  it(`are given up after ${TRIES} tries, and that is in the log without a word of the mail`, async () => {
    let tries = 0;
    sink.answer = ({ to }) => {
      if (to.includes(refused)) return 550;
      tries += 1;
      return 451;
    };
    for (const email of [refused, givenUp]) await register(service, registrant(email));
    for (let round = 0; round < TRIES + 5; round += 1) await service.runJobs({ early: true });
    expect(tries).toBe(TRIES);
    const { id } = await owedTo(givenUp);
    expect(await owedTo(givenUp)).toMatchObject({
      sentAt: null,
      abandonedAt: service.clock.now(),
      abandonedReason: 'gave_up',
    });
    const lines = service.log.filter((line) => line.includes('a mail could not be sent'));
    expect(lines.map((line) => JSON.parse(line))).toEqual([expect.objectContaining({ level: 50, mailId: id })]);
    expect(service.log.join('')).not.toMatch(/token=|latchkey\.test"/);
  });

  it('are listed for the operator', { timeout: 60_000 }, async () => {
    const { code, stdout } = await mails('--failed');
    const listed = stdout.split('\n').slice(0, -1);
    expect(code).toBe(0);
    expect(listed.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ recipient: givenUp, kind: 'email_verification', abandonedReason: 'gave_up' }),
      expect.objectContaining({ recipient: refused, kind: 'email_verification', abandonedReason: 'refused' }),
    ]);
    expect(stdout).not.toContain('token');
  });

  it('are sent after all when the operator says so, one or all of them', { timeout: 60_000 }, async () => {
    sink.answer = () => 'taken';
    const { id } = await owedTo(refused);
    expect(await mails('--retry', id)).toMatchObject({ code: 0, stdout: '1 mail will be sent again\n' });
    await service.runJobs();
    expect(await owedTo(refused)).toMatchObject({ sentAt: service.clock.now(), abandonedReason: null });
    expect(await mails('--retry', id)).toMatchObject({
      code: 1,
      stderr: 'there is no such mail, or it has not failed\n',
    });
    expect(await mails('--retry', 'all')).toMatchObject({ code: 0, stdout: '1 mail will be sent again\n' });
    await service.runJobs();
    expect(await owedTo(givenUp)).toMatchObject({ sentAt: service.clock.now(), abandonedReason: null });
    expect(sink.mails.map(({ to }) => to)).toEqual([[refused], [givenUp]]);
    expect(await mails('--failed')).toMatchObject({ code: 0, stdout: '' });
  });

  it('are not guessed at', { timeout: 60_000 }, async () => {
    expect(await mails('--retry', 'first')).toMatchObject({ code: 1, stderr: 'there is no such mail\n' });
    expect(await mails()).toMatchObject({ code: 1, stdout: '' });
  });
});
