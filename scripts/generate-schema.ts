import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { printSchema } from '../src/print-schema.ts';

const FILE = 'schema.graphql';
const schema = printSchema();

if (!process.argv.includes('--check')) {
  writeFileSync(FILE, schema);
} else if (!existsSync(FILE) || readFileSync(FILE, 'utf8') !== schema) {
  process.stderr.write(`${FILE} is not what the code says: run npm run generate and commit it\n`);
  process.exitCode = 1;
}
