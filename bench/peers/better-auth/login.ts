import { driveLogin } from '../drive-conversation.ts';
import { betterAuthConversation } from './conversation.ts';

await driveLogin(betterAuthConversation);
