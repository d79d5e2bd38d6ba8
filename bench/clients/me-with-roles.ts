import { askForMe } from './ask-for-me.ts';
import { FIELDS_WITH_ROLES } from './operations.ts';

await askForMe(FIELDS_WITH_ROLES);
