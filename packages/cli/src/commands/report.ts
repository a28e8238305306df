import type { Command } from 'commander';
import { print } from '../words/words.js';

const help = `
Examples:
  $ sbp report runs/quickstart
  $ sbp report runs/original runs/sbp-0 runs/sbp-1 --out report.html
  $ sbp report results

One HTML file that opens from disk, without a network: the table of every run, training curves, signal-to-noise ratios, the network before
and after; of several runs also the table of sbp table and error against multiply-accumulates. Signal-to-noise ratios are read from the
trained network in a run's folder: a result.json alone has none.`;

/** `sbp report <results…>` */
export function addReport(program: Command): void {
  program
    .command('report')
    .description('write what runs came to as one HTML page')
    .argument('<results...>', "runs' folders, their result.json, or folders of such files")
    .option(
      '--out <file>',
      "where to (default: report.html in the run's folder; of several runs, in this folder)",
    )
    .addHelpText('after', help)
    .action(report);
}

async function report(paths: string[], { out }: { out?: string }): Promise<void> {
  const { existsSync, mkdirSync, statSync } = await import('node:fs');
  const { dirname, join } = await import('node:path');
  const { UsageError } = await import('../words/failure.js');
  const { readResults } = await import('../results/results.js');
  const all = readResults(paths);
  const [only] = all.results.length === 1 ? all.results : [];
  const file = out ?? join(only?.folder ?? '.', 'report.html');
  if (existsSync(file) && statSync(file).isDirectory())
    throw new UsageError(
      `--out: ${file} is a folder; give the file to write, such as ${join(file, 'report.html')}.`,
    );
  const { reportPage } = await import('../results/report.js');
  const { writeAtomically } = await import('@sbp/train/checkpoint');
  const page = await reportPage(all);
  mkdirSync(dirname(file), { recursive: true });
  writeAtomically(file, page);
  print(file);
}
