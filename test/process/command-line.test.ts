import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cliScript, type Environment, run, runCommand, startProcess, temporaryDirectory } from '../support/process.ts';
import { testEnvironment } from '../support/service.ts';
import { createEmptyTestDatabase } from '../support/test-database.ts';

const checkout = join(import.meta.dirname, '../..');
const schema = readFileSync(join(checkout, 'schema.graphql'), 'utf8');

describe.concurrent('latchkey', { timeout: 60_000 }, () => {
  it.each([['--help'], ['help']])('%s lists the commands', async (parameter) => {
    const { code, stdout, stderr } = await latchkey([parameter]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^Usage: latchkey /);
    for (const command of ['serve', 'worker', 'migrate', 'mails', 'print-schema'])
      expect(stdout).toMatch(new RegExp(`^ {2}${command} `, 'm'));
  });

  it('without a command says how it is used, and fails', async () => {
    const { code, stdout, stderr } = await latchkey([]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^Usage: latchkey /);
  });

  it.each([
    ['a command that does not exist', ['fly']],
    ['an option that does not exist', ['migrate', '--fly']],
    ['a parameter too many', ['print-schema', 'fly']],
  ])('refuses %s, and says how it is used', async (_, parameters) => {
    const { code, stdout, stderr } = await latchkey(parameters);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^error: .+\n\nUsage: latchkey .*\n/);
  });
});

describe.concurrent('latchkey print-schema', { timeout: 60_000 }, () => {
  it('prints the subgraph schema, without any configuration', async () => {
    const printed = await latchkey(['print-schema'], { PORT: 'not a port' });
    expect(printed).toEqual({ code: 0, signal: null, stdout: schema, stderr: '' });
  });
});

describe.concurrent('npx latchkey', { timeout: 60_000 }, () => {
  it('is this program where its checkout is the working directory, on the Node.js that comes with it', async () => {
    const printed = await runCommand('npx', ['--offline', 'latchkey', 'print-schema'], {
      environment: { PATH: process.env.PATH ?? '', npm_config_cache: temporaryDirectory() },
      workingDirectory: checkout,
    });
    expect(printed).toMatchObject({ code: 0, stdout: schema });
  });
});

describe.concurrent('latchkey migrate', { timeout: 60_000 }, () => {
  it('applies what the database lacks, once, and makes neither keys nor users', async () => {
    const { url: DATABASE_URL, drop } = await createEmptyTestDatabase();
    const environment = { ...testEnvironment, DATABASE_URL };
    const first = await latchkey(['migrate'], environment);
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toMatch(/^(?:\d{14}_\w+\n)+$/);
    expect(await latchkey(['migrate'], environment)).toMatchObject({
      code: 0,
      stdout: 'nothing to apply\n',
      stderr: '',
    });
    await drop();
  });

  it('lists every problem of the configuration and does nothing', async () => {
    const { code, stdout, stderr } = await latchkey(['migrate'], { PORT: '-1', LOG_LEVEL: 'loud' });
    expect({ code, stdout, lines: stderr.split('\n') }).toEqual({
      code: 1,
      stdout: '',
      lines: ['PORT must be a whole number from 0 to 65535', expect.stringMatching(/^LOG_LEVEL must be /), ''],
    });
  });
});

describe.concurrent('latchkey serve', { timeout: 60_000 }, () => {
  it('is what npm start runs', async () => {
    const { url: DATABASE_URL, drop } = await createEmptyTestDatabase();
    const service = startProcess(cliScript, ['serve'], { environment: { ...testEnvironment, DATABASE_URL } });
    await service.untilPrinted(/"msg":"ready"/);
    service.send('SIGTERM');
    expect(await service.exit).toMatchObject({ code: 0, stderr: '' });
    await drop();
  });
});

function latchkey(parameters: readonly string[], environment: Environment = {}) {
  return run(cliScript, parameters, { environment, workingDirectory: temporaryDirectory() });
}
