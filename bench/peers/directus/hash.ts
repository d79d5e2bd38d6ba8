import { driveHash } from '../drive-hash.ts';
import { directusPasswordHash } from './password-hash.ts';

await driveHash(directusPasswordHash);
