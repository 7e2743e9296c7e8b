// A real Tappet server for the tests of this folder.

import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Starts `tappet serve` on a fresh data directory. */
export async function startServer() {
  const token = 'glpat-node-clients';
  const data = mkdtempSync(join(tmpdir(), 'tappet-node-data-'));
  const child = spawn(
    process.env.TAPPET_BINARY,
    ['serve', '--listen=127.0.0.1:0', `--data=${data}`, '--slots=2'],
    { env: { ...process.env, TAPPET_ROOT_TOKEN: token }, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ended = new Promise((resolve) => child.once('exit', (code) => resolve(code)));
  const lines = createInterface({ input: child.stdout });
  const { value: line } = await lines[Symbol.asyncIterator]().next();
  const url = /is ready on (\S+)/.exec(line ?? '')?.[1];
  if (!url) throw new Error(`the server did not start: ${line}`);
  const stop = () => {
    child.kill('SIGTERM');
    return ended;
  };
  return { url, token, stop };
}
