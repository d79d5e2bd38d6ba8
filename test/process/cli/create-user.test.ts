import { execFileSync } from 'node:child_process';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../../src/database/client.ts';
import { type EmbeddedDirectory, prepareEmbeddedDirectory } from '../../support/embedded-directory.ts';
import { signIn } from '../../support/people.ts';
import { cliScript, type Environment, run, startCommand } from '../../support/process.ts';
import { startTestService, type TestService, testEnvironment } from '../../support/service.ts';

const password = 'seventeen little goats';
const grace = ['--email', 'grace@latchkey.test', '--first-name', 'Grace', '--last-name', 'Hopper'];

let service: TestService;
let environment: Environment;
beforeAll(async () => {
  service = await startTestService();
  environment = { ...testEnvironment, DATABASE_URL: service.app.config.databaseUrl ?? '' };
});
afterAll(() => service.close());

function createUser(parameters: readonly string[], input: string | Buffer = `${password}\n`) {
  const readable = new PassThrough();
  readable.end(input);
  return run(cliScript, ['create-user', ...parameters], { environment, input: readable });
}

function findUser(email: string) {
  return service.app.db.user.findUnique({
    where: { email },
    include: { roles: { include: { role: true }, orderBy: { role: { name: 'asc' } } } },
  });
}

describe('latchkey create-user', () => {
  it('makes an active user with the role user and the password from standard input, on record', async () => {
    const exit = await createUser(grace);
    const user = await findUser('grace@latchkey.test');
    expect(exit).toEqual({ code: 0, signal: null, stdout: `created grace@latchkey.test (${user?.id})\n`, stderr: '' });
    expect(user).toMatchObject({
      firstName: 'Grace',
      lastName: 'Hopper',
      status: 'ACTIVE',
      emailVerified: false,
      remark: null,
    });
    expect(user?.roles.map(({ role }) => role.name)).toEqual(['user']);
    const events = await service.app.db.auditEvent.findMany({ where: { subjectId: user?.id ?? '' } });
    expect(events).toEqual([
      expect.objectContaining({
        type: 'user.created',
        actorId: null,
        email: 'grace@latchkey.test',
        ipAddress: null,
        data: { reason: 'command_line', emailVerified: false, roles: [] },
      }),
    ]);
  });

  it('makes a verified administrator, who can sign in', async () => {
    const exit = await createUser([
      ...['--email', ' Katherine@B\u00fccher.Example ', '--first-name', 'Katherine', '--last-name', 'Johnson'],
      ...['--role', 'ADMIN', '--verified', '--locale', 'DE-at'],
    ]);
    expect(exit).toMatchObject({ code: 0, stderr: '' });
    const email = 'katherine@xn--bcher-kva.example';
    const user = await findUser(email);
    expect(user?.locale).toBe('de-AT');
    expect(user?.roles.map(({ role }) => role.name)).toEqual(['admin', 'user']);
    expect(await signIn(service, { email, password })).toMatchObject({ userId: user?.id });
  });

  it.each<[string, readonly string[], string | Buffer, string]>([
    [
      'no address',
      ['--email', 'nobody', '--first-name', 'No', '--last-name', 'Body'],
      password,
      'email: This is no e-mail address that mail can be sent to.\n',
    ],
    ['a short password', nobody(), 'too short', 'password: At least 15 characters.\n'],
    ['no password', nobody(), '', 'there is no password on standard input\n'],
    ['two lines', nobody(), `${password}\n${password}\n`, 'there is more than one line on standard input\n'],
    ['a whole file', nobody(), 'x'.repeat(10_000), 'there is more on standard input than a password\n'],
    [
      'another encoding',
      nobody(),
      Buffer.from('siebzehn Z\u00fcrcher', 'latin1'),
      'what is on standard input is not UTF-8\n',
    ],
    ['a role that does not exist', [...nobody(), '--role', 'pope'], password, 'there is no role "pope"\n'],
    [
      'an address with an account',
      ['--email', 'ADA@latchkey.test', '--first-name', 'No', '--last-name', 'Body'],
      password,
      'There is an account with this e-mail address already.\n',
    ],
  ])('refuses %s in one line and makes nobody', async (_, parameters, input, stderr) => {
    const before = await service.app.db.user.count();
    expect(await createUser(parameters, input)).toEqual({ code: 1, signal: null, stdout: '', stderr });
    expect(await service.app.db.user.count()).toBe(before);
  });

  it('takes no password from its arguments', async () => {
    const { code, stderr } = await createUser([...nobody(), '--password', password]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: unknown option '--password'/);
  });
});

describe('latchkey create-user on the embedded database', () => {
  let directory: EmbeddedDirectory;
  beforeAll(async () => {
    directory = await prepareEmbeddedDirectory();
  });
  afterAll(() => directory.remove());

  it('works, and says when that is in use', async () => {
    const dataDirectory = directory.clone('data');
    const embedded = { ...testEnvironment, DATA_DIR: dataDirectory };
    const create = () => run(cliScript, ['create-user', ...grace], { environment: embedded, input: password });
    expect(await create()).toMatchObject({ code: 0, stderr: '' });

    const database = await openDatabase({ databaseUrl: null, dataDirectory });
    const users = await database.prisma.user.findMany({ select: { email: true } });
    const refused = await create();
    await database.close();
    expect(users).toEqual([{ email: 'grace@latchkey.test' }]);
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr.split('\n')).toEqual([expect.stringContaining(dataDirectory), '']);
  });
});

describe.skipIf(!hasPseudoTerminals())('latchkey create-user on a terminal', () => {
  /** What the terminal shows in the end, when this is typed as soon as there is a question for it. */
  async function type(email: string, ...answers: readonly string[]) {
    const keyboard = new PassThrough();
    const parameters = ['create-user', '--email', email, '--first-name', 'Annie', '--last-name', 'Easley'];
    const command = [process.execPath, cliScript, ...parameters].join(' ');
    const terminal = startCommand('script', ['-qec', command, '/dev/null'], {
      environment: { ...environment, PATH: process.env.PATH ?? '' },
      input: keyboard,
    });
    const questions = [/Password: /, /Once more: /];
    for (const [index, answer] of answers.entries()) {
      await terminal.untilPrinted(questions[index] ?? /./);
      keyboard.write(answer);
    }
    const { code, stdout } = await terminal.exit;
    return { code, shown: stdout.replaceAll('\r\n', '\n') };
  }

  it('asks twice and shows nothing of what is typed', async () => {
    const { code, shown } = await type('annie@latchkey.test', `${password}\r`, `${password}\r`);
    const user = await findUser('annie@latchkey.test');
    expect({ code, shown }).toEqual({
      code: 0,
      shown: `Password: \nOnce more: \ncreated annie@latchkey.test (${user?.id})\n`,
    });
  });

  it('makes nobody when the two differ', async () => {
    const { code, shown } = await type('mary@latchkey.test', `${password}\r`, 'eighteen little goats\r');
    expect({ code, shown }).toEqual({
      code: 1,
      shown: 'Password: \nOnce more: \nthese are two different passwords\n',
    });
    expect(await findUser('mary@latchkey.test')).toBeNull();
  });

  it.each([
    ['Ctrl-C', 'seventeen\u0003'],
    ['Ctrl-D', '\u0004'],
  ])('makes nobody after %s', async (_, answer) => {
    const { code, shown } = await type('mary@latchkey.test', answer);
    expect({ code, shown }).toEqual({ code: 1, shown: 'Password: \nno password was given\n' });
    expect(await findUser('mary@latchkey.test')).toBeNull();
  });
});

function nobody(): readonly string[] {
  return ['--email', 'nobody@latchkey.test', '--first-name', 'Nobody', '--last-name', 'Nothing'];
}

/** util-linux’s script gives a command a terminal of its own. */
function hasPseudoTerminals(): boolean {
  try {
    return execFileSync('script', ['--version'], { encoding: 'utf8' }).includes('util-linux');
  } catch {
    return false;
  }
}
