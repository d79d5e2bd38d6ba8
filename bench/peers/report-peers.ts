import { formatTable } from '../table.ts';
import type { PeerResults } from './results.ts';
import { conditionsOf, tablesOf } from './tables.ts';

/** What a run found out, for a person to read. */
export function reportPeers(results: PeerResults): string {
  const tables = tablesOf(results).map(({ title, headings, rows }) => `${title}\n\n${formatTable(headings, rows)}`);
  return [conditionsOf(results), ...tables].join('\n\n');
}
