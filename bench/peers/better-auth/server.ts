// DATABASE_URL, PORT, BETTER_AUTH_URL and BETTER_AUTH_SECRET say the rest.

import { createServer } from 'node:http';
import { betterAuth } from 'better-auth';
import { toNodeHandler } from 'better-auth/node';
import { betterAuthOptions } from './options.ts';

const auth = betterAuth(betterAuthOptions(process.env.DATABASE_URL ?? ''));
createServer(toNodeHandler(auth)).listen(Number(process.env.PORT), '127.0.0.1');
