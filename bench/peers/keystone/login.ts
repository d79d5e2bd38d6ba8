import { driveLogin } from '../drive-conversation.ts';
import { keystoneConversation } from './conversation.ts';

await driveLogin(keystoneConversation);
