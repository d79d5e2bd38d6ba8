import { driveMe } from '../drive-conversation.ts';
import { betterAuthConversation } from './conversation.ts';

await driveMe(betterAuthConversation);
