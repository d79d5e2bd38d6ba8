import { mkdtempSync, rmSync } from 'node:fs';
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
      const response = await fetch(`${service.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query: '{ __typename }' }),
        // An install never hangs, whatever a proxy makes of this.
        signal: AbortSignal.timeout(ANSWER_TIMEOUT_MILLISECONDS),
      });
      await response.text();
    } finally {
      await service.close();
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
