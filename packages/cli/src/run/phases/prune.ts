import { rmSync } from 'node:fs';
import { subset } from '@sbp/data';
import { useEngine } from '@sbp/engine';
import { loadModel, saveModel } from '@sbp/model';
import { foldNoise, type PruneReport, pruneModel } from '@sbp/prune';
import { errorOn, outputEnds } from '@sbp/train';
import type * as tf from '@tensorflow/tfjs';
import { testedExamples } from '../../config/titles.js';
import { type Agreement, agreementOf, predictWith } from '../../measure/agreement.js';
import { layerLines } from '../../measure/figures.js';
import { objectiveFor } from '../../measure/measured.js';
import { RunError } from '../../words/failure.js';
import { count } from '../../words/words.js';
import { dataOf, type Run, readTrained } from '../run.js';
import { writeJson } from '../run-folder.js';
import { isAsBefore } from '../seals.js';

/** How far outputs of the noisy and the pruned network may be apart: probabilities, or other numbers in parts of the largest. */
const TOLERANCE = 1e-5;

/** Examples that show whether the noisy network's weights are the trained one's, multiplied by E θ. */
const FEW = 1000;

/** What the cut came to. */
export interface Pruning {
  /** Whether single pixels and flattened units were taken out, too. */
  gather: boolean;
  report: PruneReport;
  agreement: Agreement;
  tolerance: number;
  /** Error of the pruned network, in % where it classifies. */
  error: number;
}

/**
 * Prunes the trained network and checks on every test example that nothing changed.
 *
 * @throws RunError if the pruned network is not the noisy one
 */
export async function prunePhase(run: Run): Promise<void> {
  const { config, paths, gather: asked, say } = run;
  // Fine-tuning would bring rows of zeros back to life.
  const gather = asked || config.fineTune !== undefined;
  await useEngine(readTrained(paths).engine.name);
  const { test } = await dataOf(run);
  const model = await loadModel(paths.trained);
  const { model: cut, report } = pruneModel(model, { gather });
  for (const line of layerLines(report)) say(`  ${line}`);
  await saveModel(foldNoise(model), paths.noisy);
  await saveModel(cut, paths.pruned);
  // Its fine-tuning would go on from that of another network.
  if (!isAsBefore(paths.folder, 'prune', paths.pruned))
    rmSync(paths.fineTuneCheckpoints, { recursive: true, force: true });
  // What is on the disk is what is checked and timed.
  const noisy = await loadModel(paths.noisy);
  const pruned = await loadModel(paths.pruned);
  const objective = objectiveFor(config, noisy, test);
  const agreement = await agreementOf(noisy, predictWith(pruned), test, objective);
  const on = { examples: testedExamples(config.data), what: whatDiffers(noisy) };
  // Group lasso leaves groups that are nearly nothing: without them it is no longer the same to the bit, and is fine-tuned.
  if (config.method !== 'ssl') {
    const few = subset(test, Math.min(FEW, test.size));
    check('noisy/model.json', await agreementOf(noisy, predictWith(model), few, objective), on);
  }
  say(`Pruned network: ${check('pruned/model.json', agreement, on)}`);
  const pruning: Pruning = {
    gather,
    report,
    agreement,
    tolerance: TOLERANCE,
    error: errorOn(pruned, test, objective),
  };
  writeJson(paths.pruning, pruning);
}

/** @returns that all is well, in words */
function check(
  name: string,
  { examples, maxDifference, otherPredictions }: Agreement,
  { examples: word, what }: { examples: string; what: string },
): string {
  const found = `largest difference of ${what} ${maxDifference.toExponential(1)}, ${otherPredictions === 0 ? 'every prediction equal' : `${count(otherPredictions)} predictions differ`}, on ${count(examples)} ${word}`;
  if (maxDifference <= TOLERANCE && otherPredictions === 0) return `the same as the noisy one (${found})`;
  throw new RunError(
    `${name} is not the network that was trained: ${found}; expected at most ${TOLERANCE} and equal predictions. Please report this with the run's folder.`,
  );
}

const whatDiffers = (model: tf.LayersModel) =>
  outputEnds(model).every(Boolean) ? 'a probability' : 'an output, in parts of the largest,';
