import { page } from '@sbp/bench';
import { loadModel, modelBytes, saveModel } from '@sbp/model';
import { exportOnnx } from '@sbp/prune';
import { writeAtomically } from '@sbp/train/checkpoint';
import type * as tf from '@tensorflow/tfjs';
import { diffModels } from '../../diff/diff-models.js';
import { diffFacts, diffNote, diffRows } from '../../diff/diff-table.js';
import { writeJson } from '../../run/run-folder.js';
import { count, size } from '../../words/words.js';
import { resultOf, sealStep } from '../done.js';
import type { CompressPaths } from '../paths.js';
import type { CompressSettings } from '../settings.js';
import { cutTo, targetWords } from '../targets/targets.js';

/**
 * Cuts by magnitude, where there is no data to train on: what it costs in error is not known, and can't be won back.
 *
 * @returns what it came to, for a terminal
 */
export async function compressWithoutData(
  original: tf.LayersModel,
  { settings, paths }: { settings: CompressSettings; paths: CompressPaths },
): Promise<string> {
  const { target, roundTo } = settings;
  const criterion = settings.criterion === 'snr' ? 'magnitude' : settings.criterion;
  const { model: cut, report } = await cutTo(target, original, { criterion, roundTo });
  const after = await saveModel(cut, paths.model);
  const model = await loadModel(paths.model);
  writeAtomically(paths.onnx, exportOnnx(model));
  const before = await modelBytes(original);
  const diff = diffModels(original, model);
  const files = { before, after };
  writeAtomically(
    paths.report,
    page(`${settings.model}, cut to ${targetWords(target)}`, WARNING, [
      {
        title: 'Layer by layer',
        blocks: [
          { kind: 'facts', facts: diffFacts(diff, files) },
          { kind: 'table', ...diffRows(diff) },
          { kind: 'text', text: diffNote(diff) },
        ],
      },
    ]),
  );
  writeJson(paths.result, {
    settings,
    target,
    before: { ...report.before, bytes: before },
    after: { ...report.after, bytes: after },
    report,
  });
  sealStep(paths, resultOf(paths));
  return [
    `${count(report.before.macs)} → ${count(report.after.macs)} multiply-accumulates (${report.reduction.toFixed(2)}×), ${count(report.before.params)} → ${count(report.after.params)} parameters, files ${size(before)} → ${size(after)}, in ${paths.folder}.`,
    WARNING,
  ].join('\n');
}

const WARNING =
  'Cut by the size of the weights alone, without any data: what the model says is another thing now, by how much nobody has measured, and nothing was trained to make up for it. With --data, even of unlabelled examples, it is trained.';
