import './runtime.ts';

// Not before: nearly all of the code is behind it, which then comes from the compile cache.
void import('./service-process.ts').then(({ run }) => run());
