import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root, tableOf } from './documents.ts';

const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !path.includes('generated'))
  .map((path) => ({ path, text: readFileSync(join(root, 'src', path), 'utf8') }));

describe('the inventory of what is recorded', () => {
  it('names each event that is put on record, and no other', () => {
    const service = sources.find(({ path }) => path === 'audit/service.ts')?.text ?? '';
    const [, union = ''] = /export type AuditEventType =([^;]+);/.exec(service) ?? [];
    const recorded = [...union.matchAll(/'([\w.]+)'/g)].map(([, name]) => name);
    const told = tableOf('docs/operating.md', 'event').flatMap(([names = '']) => names.split(', '));
    expect(recorded.length).toBeGreaterThan(30);
    expect([...told].sort()).toEqual([...recorded].sort());
  });
});

describe('logs', () => {
  it('are opened in two files, and nothing is logged past them', () => {
    const destinations = /pino\.destination\(|createWriteStream\(|appendFile|console\.|syslog/;
    const writers = sources.filter(({ text }) => destinations.test(text)).map(({ path }) => path);
    expect(writers.sort()).toEqual(['cli/with-app.ts', 'log.ts']);
  });
});
