import { driveHash } from '../drive-hash.ts';
import { keystonePasswordHash } from './password-hash.ts';

await driveHash(keystonePasswordHash);
