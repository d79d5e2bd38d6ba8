// `npm run bench:peers`, as one process: a signal that ends it leaves nothing behind.

import './install.ts';

await import('./main.ts');
