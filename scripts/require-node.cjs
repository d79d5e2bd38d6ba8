'use strict';

// In JavaScript that every Node can read: an older one stumbles over the first line of TypeScript and does not say why.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(
    `Latchkey needs Node 22.18 or newer, and this is ${process.version}. npm ci brings a Node of its own, unless optional packages or install scripts are left out.`,
  );
  process.exit(1);
}
