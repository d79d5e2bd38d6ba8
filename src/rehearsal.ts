import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { developmentSecretKey } from './config/secret-key.ts';
import { loadConfig } from './config.ts';
import { createLog } from './log.ts';
import { serve } from './serve.ts';

const ANSWER_TIMEOUT_MILLISECONDS = 30_000;

/**
 * The service has run once, on an embedded database that is gone again, and has answered. So whatever a start and a first
 * request need is compiled, and the compile cache holds it.
 */
export async function rehearse(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'latchkey-rehearsal-'));
  try {
    const config = loadConfig({ DATA_DIR: directory, PORT: '0', LOG_LEVEL: 'fatal' }, developmentSecretKey);
    const service = await serve({ config, log: createLog(config) });
    try {
      await expectAnswer(`${service.url}/graphql`);
    } finally {
      await service.close();
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** With an agent of its own, which asks no proxy. An install never hangs. */
async function expectAnswer(url: string): Promise<void> {
  const asked = request(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    agent: new Agent(),
    signal: AbortSignal.timeout(ANSWER_TIMEOUT_MILLISECONDS),
  });
  asked.end(JSON.stringify({ query: '{ __typename }' }));
  const [response] = await once(asked, 'response');
  response.resume();
  await once(response, 'end');
  if (response.statusCode !== 200) throw new Error(`the service answered ${response.statusCode}`);
}
