// What an install does so that the first start is quick. In JavaScript that every Node can read, and nothing depends on
// it: whatever fails here, such as an old Node at the first line of TypeScript, a start does by itself or does without.
process.on('uncaughtException', giveUp);
try {
  const { prepare } = await import('../src/prepare.ts');
  await prepare();
} catch (error) {
  giveUp(error);
}

function giveUp(error) {
  console.error(`The service starts as well, but takes longer to: ${error instanceof Error ? error.message : error}`);
  process.exit(0);
}
