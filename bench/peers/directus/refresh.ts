import { driveRefresh } from '../drive-conversation.ts';
import { directusConversation } from './conversation.ts';

await driveRefresh(directusConversation);
