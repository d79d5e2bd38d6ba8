import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUNDLE_DIRECTORY, bundle } from '../../src/bundle.ts';
import { graphql } from '../gql/gql.ts';
import { run, type ServiceProcess, startService, temporaryDirectory } from '../support/process.ts';
import { signIn, whoIs } from './operations.ts';

const RequestReset = graphql(`
  mutation BundleRequestReset($email: String!) {
    requestPasswordReset(input: { email: $email }) {
      __typename
    }
  }
`);

const root = resolve(import.meta.dirname, '../..');
// Beside the one that an install makes, so that it finds the same packages and sources.
const directory = `${BUNDLE_DIRECTORY}-of-test-${process.pid}`;
const administrator = { email: 'ada@latchkey.test', password: 'Zq7vLk2mXw94TtRb' };

describe('the bundle', () => {
  let service: ServiceProcess;
  const hooks = temporaryDirectory();

  beforeAll(async () => {
    await bundle(directory);
    writeFileSync(
      join(hooks, 'hooks.ts'),
      `import { writeFileSync } from 'node:fs';
       import type { HookUser } from 'latchkey/not/there.ts';
       const { email } = await Promise.resolve({ email: (user: HookUser): string => user.email });
       export const postLogin = (user: HookUser) => {
         writeFileSync(import.meta.dirname + '/loaded', process.moduleLoadList.join('\\n'));
         writeFileSync(import.meta.dirname + '/told', email(user));
       };`,
    );
    const environment = {
      DATA_DIR: temporaryDirectory(),
      // It would keep what was compiled of each of these bundles.
      NODE_DISABLE_COMPILE_CACHE: '1',
      ADMIN_EMAIL: administrator.email,
      ADMIN_PASSWORD: administrator.password,
      HOOKS_MODULE: join(hooks, 'hooks.ts'),
    };
    service = await startService(environment, { script: join(directory, 'main.cjs') });
  }, 120_000);

  afterAll(async () => {
    await service?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  it('finds the migrations, the database and what hashes passwords: somebody can sign in', async () => {
    const { accessToken } = await signIn(service, administrator);
    expect(await whoIs(service, accessToken)).toBe(administrator.email);
  });

  it('finds the templates of mails', async () => {
    await service.execute(RequestReset, { email: administrator.email });
    await expect
      .poll(async () => (await fetch(`${service.url}/mailbox.json`)).json(), { timeout: 15_000 })
      .toEqual([
        expect.objectContaining({ to: administrator.email, html: expect.stringContaining('/reset-password?') }),
      ]);
  });

  it('finds what prints the schema for gateways', async () => {
    const response = await fetch(`${service.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ _service { sdl } }' }),
    });
    const { data } = await response.json();
    expect(`${data._service.sdl.trimEnd()}\n`).toBe(readFileSync(join(root, 'schema.graphql'), 'utf8'));
  });

  it('finds GraphiQL', async () => {
    const response = await fetch(`${service.url}/graphql`, { headers: { accept: 'text/html' } });
    expect(await response.text()).toContain('<title>Latchkey</title>');
  });

  it('loads hooks of the operator', async () => {
    const { accessToken } = await signIn(service, administrator);
    const told = () => readFileSync(join(hooks, 'told'), 'utf8');
    await expect.poll(told, { timeout: 20_000 }).toBe(administrator.email);
    expect(accessToken).not.toBe('');
  });

  it('has no use for the `fetch` of Node, which is not loaded', async () => {
    await signIn(service, administrator);
    const loaded = () => readFileSync(join(hooks, 'loaded'), 'utf8').split('\n');
    await expect.poll(loaded, { timeout: 20_000 }).toContain('NativeModule http');
    expect(loaded().filter((module) => module.includes('undici'))).toEqual([]);
  });

  it('has traces that name the sources, with --enable-source-maps', async () => {
    const script = join(hooks, 'fail.cjs');
    writeFileSync(script, `require(${JSON.stringify(join(directory, 'rehearsal.cjs'))}).rehearse();`);
    const environment = { TMPDIR: '/nowhere', NODE_OPTIONS: '--enable-source-maps', NODE_DISABLE_COMPILE_CACHE: '1' };
    const { stderr } = await run(script, [], { environment });
    const lines = readFileSync(join(root, 'src/rehearsal.ts'), 'utf8').split('\n');
    const line = lines.findIndex((text) => text.includes('mkdtempSync(join(')) + 1;
    expect(stderr).toContain(`/src/rehearsal.ts:${line}:`);
  });

  it('is text of one byte a character', () => {
    const chunks = readdirSync(directory).filter((name) => name.endsWith('.cjs'));
    expect(chunks).toContain('main.cjs');
    expect(chunks.filter((name) => /[^\0-\xff]/.test(readFileSync(join(directory, name), 'utf8')))).toEqual([]);
  });

  it('is made of every source that the service loads, and of the packages as they are installed', () => {
    const inputs: readonly { readonly path: string }[] = JSON.parse(
      readFileSync(join(directory, 'inputs.json'), 'utf8'),
    );
    const paths = inputs.map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(['src/main.ts', 'src/sessions/refresh.ts', 'src/worker.ts']));
    expect(paths.filter((path) => !path.startsWith('src/'))).toEqual(['node_modules/.package-lock.json']);
  });
});
