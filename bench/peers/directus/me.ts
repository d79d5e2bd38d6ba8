import { driveMe } from '../drive-conversation.ts';
import { directusConversation } from './conversation.ts';

await driveMe(directusConversation);
