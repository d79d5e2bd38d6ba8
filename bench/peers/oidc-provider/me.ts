import { driveMe } from '../drive-conversation.ts';
import { oidcProviderConversation } from './conversation.ts';

await driveMe(oidcProviderConversation);
