import { driveHash } from '../drive-hash.ts';
import { betterAuthPasswordHash } from './password-hash.ts';

await driveHash(betterAuthPasswordHash);
