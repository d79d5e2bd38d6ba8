// node bench/peers/publish.ts RESULTS.json: shows in the READMEs what this run of `npm run bench:peers` found out.

import { publishPeers, readPeerRun } from './published/publish.ts';

const [file, ...others] = process.argv.slice(2);
if (file === undefined || others.length > 0) throw new Error('node bench/peers/publish.ts RESULTS.json');
publishPeers(readPeerRun(file));
