import { driveLogin } from '../drive-conversation.ts';
import { directusConversation } from './conversation.ts';

await driveLogin(directusConversation);
