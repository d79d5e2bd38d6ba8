import { driveMe } from '../drive-conversation.ts';
import { keystoneConversation } from './conversation.ts';

await driveMe(keystoneConversation);
