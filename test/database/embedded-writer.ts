// Stands for a service with an embedded database: writes row after row and prints the key of each once it is
// committed, until it is killed or standard input closes.

import { openDatabase } from '../../src/database/client.ts';

const database = await openDatabase({ databaseUrl: null, dataDirectory: process.argv[2] ?? '' });
let isWriting = true;
process.stdin.resume().on('close', () => {
  isWriting = false;
});
for (let written = 1; isWriting; written += 1) {
  const { key } = await database.prisma.rateLimit.create({ data: { key: `row ${written}` } });
  process.stdout.write(`${key}\n`);
  // Prisma on an embedded database never waits for anything outside of the process, and so starves standard input.
  await new Promise(setImmediate);
}
await database.close();
