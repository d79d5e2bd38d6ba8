import { driveRefresh } from '../drive-conversation.ts';
import { oidcProviderConversation } from './conversation.ts';

await driveRefresh(oidcProviderConversation);
