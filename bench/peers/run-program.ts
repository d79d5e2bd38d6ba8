import { execFile } from 'node:child_process';

interface Where {
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** A program has run on this Node and has succeeded; it ends with this process. */
export function runProgram(parameters: readonly string[], { directory, environment }: Where): Promise<void> {
  return new Promise((resolve, reject) => {
    const options = { cwd: directory, env: { ...process.env, ...environment } };
    const child = execFile(process.execPath, parameters, options, (error, stdout, stderr) => {
      process.off('exit', endWithUs);
      if (error === null) resolve();
      else reject(new Error(`${parameters.join(' ')} failed:\n${stdout}\n${stderr}`, { cause: error }));
    });
    const endWithUs = () => child.kill('SIGKILL');
    process.once('exit', endWithUs);
  });
}
