import { existsSync } from 'node:fs';
import { defineConfig } from 'prisma/config';

// Every command of Prisma's CLI wants a native schema engine and tries to download one. `generate` never runs it,
// so where the download has not happened any existing file will do; `migrate` is not used at run time.
const engineWasDownloaded = existsSync('node_modules/@prisma/engines/schema-engine');
if (!engineWasDownloaded) process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= process.execPath;

export default defineConfig({ schema: 'prisma/schema.prisma', migrations: { path: 'prisma/migrations' } });
