// Loads the installed TensorFlow and runs a convolution on other versions of Node, which npm brings:
//   node tools/tensorflow-on-nodes.mjs [20 22 24]
// Needs `installTensorflow()` done before, and packages/engine built.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const probe = fileURLToPath(new URL('../packages/engine/probe-tensorflow.mjs', import.meta.url));
const versions = process.argv.length > 2 ? process.argv.slice(2) : ['20', '22', '24'];

for (const version of versions) {
  const folder = mkdtempSync(join(tmpdir(), 'sbp-node-'));
  try {
    const name = `node-${process.platform}-${process.arch}`;
    const install = ['install', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund'];
    execFileSync('npm', [...install, `${name}@${version}`], { stdio: 'ignore' });
    const node = join(folder, 'node_modules', name, 'bin', 'node');
    const exact = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
    const argument = JSON.stringify({ projectDir: folder });
    const found = JSON.parse(execFileSync(node, [probe, argument], { encoding: 'utf8' }));
    console.log(`Node ${exact}: TensorFlow ${found.version}, ${found.packageName} on ${found.device}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
