import { askForMe } from './ask-for-me.ts';
import { OWN_FIELDS } from './operations.ts';

await askForMe(OWN_FIELDS);
