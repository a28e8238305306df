import { type Command, Option } from 'commander';
import { print } from '../words/words.js';

const help = `
Examples:
  $ sbp engine
  $ sbp engine install tensorflow
  $ sbp engine install tensorflow --gpu
  $ sbp engine remove tensorflow

wasm comes with sbp and runs anywhere. tensorflow is TensorFlow of today under tfjs-node, several times as fast: the user's own pip
fetches it once for all projects.`;

/** `sbp engine [install|remove]` */
export function addEngine(program: Command): void {
  const engine = program
    .command('engine')
    .description('say which engines run here; install or remove tensorflow')
    .option('--json', 'engines as JSON')
    .addHelpText('after', help)
    .action(status);
  const which = ['tensorflow'] as const;
  engine
    .command('install')
    .description('get an engine: TensorFlow for tfjs-node')
    .addArgument(engine.createArgument('<engine>', 'what to install').choices(which))
    .option('--gpu', 'with CUDA, for an NVIDIA GPU')
    .addOption(new Option('--from <path>', 'a TensorFlow wheel, or the folder of an installed TensorFlow'))
    .addHelpText(
      'after',
      '\nExamples:\n  $ sbp engine install tensorflow\n  $ sbp engine install tensorflow --gpu',
    )
    .action((_, options) => install(options));
  engine
    .command('remove')
    .description('remove what install made')
    .addArgument(engine.createArgument('<engine>', 'what to remove').choices(which))
    .addHelpText('after', '\nExample:\n  $ sbp engine remove tensorflow')
    .action(remove);
}

async function status({ json }: { json?: boolean }): Promise<void> {
  const { engineStatus } = await import('@sbp/engine');
  const { table } = await import('@sbp/bench');
  const engines = await engineStatus();
  if (json) {
    print(JSON.stringify(engines, undefined, 2));
    return;
  }
  const rows = engines.map(({ name, available, version, device }) => ({
    engine: name,
    'runs here': available ? 'yes' : 'no',
    version,
    device,
  }));
  print(table(rows));
  for (const { name, needs } of engines) for (const need of needs) print(`\n${name}: ${need}`);
}

async function install({ gpu, from }: { gpu?: boolean; from?: string }): Promise<void> {
  const { installTensorflow } = await import('@sbp/engine');
  const { installReporter } = await import('../words/install-progress.js');
  const reporter = installReporter(process.stdout);
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  process.once('SIGTERM', () => stop.abort());
  try {
    const { folder } = await installTensorflow({
      gpu,
      from,
      onProgress: (progress) => reporter.progress(progress),
      signal: stop.signal,
    });
    reporter.stop();
    print(`It is in ${folder}; sbp train uses it from now on.`);
  } finally {
    reporter.stop();
  }
}

async function remove(): Promise<void> {
  const { removeTensorflow } = await import('@sbp/engine');
  print((await removeTensorflow()) ? 'Removed.' : 'There was nothing to remove.');
}
