process.on('SIGTERM', () => {
  process.stderr.write(`${process.pid} has ended in order\n`, () => process.exit(0));
});
// Keeps the channel open, and with it the process.
process.on('message', () => {});
process.send?.({ readyAt: 'http://localhost:4000' });
