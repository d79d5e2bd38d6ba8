// node bench/publish.ts RESULTS.json…: shows in the README what these runs of `npm run bench` found out.

import { publish, readRuns } from './published/publish.ts';

const files = process.argv.slice(2);
if (files.length === 0) throw new Error('node bench/publish.ts RESULTS.json…');
publish(files.flatMap(readRuns));
