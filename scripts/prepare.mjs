// What an install does so that the first start is quick. In JavaScript that every Node can read, and nothing depends on
// it: whatever fails here, such as an old Node at the first line of TypeScript, the first start does by itself.
try {
  const { prepare } = await import('../src/prepare.ts');
  await prepare();
} catch (error) {
  console.error(`The first start will take a few seconds longer: ${error instanceof Error ? error.message : error}`);
}
