import { join } from 'node:path';

/** Paths of what a compression leaves behind. */
export function compressPaths(folder: string) {
  const work = (name: string) => join(folder, 'work', name);
  const training = (name: string, model = name) => ({
    model: work(model),
    /** Written at its end: on what it ran. */
    done: work(`${model}.json`),
    checkpoints: work(`${name}-checkpoints`),
    metrics: work(`${name}.jsonl`),
    events: work(join('events', name)),
  });
  const cutAndTuned = (name: (file: string) => string) => ({
    cut: work(name('cut')),
    cutDone: work(name('cut.json')),
    tune: training(name('tune'), name('tuned')),
  });
  return {
    folder,
    work: join(folder, 'work'),
    settings: join(folder, 'compress.json'),
    model: join(folder, 'model'),
    onnx: join(folder, 'model.onnx'),
    report: join(folder, 'report.html'),
    result: join(folder, 'result.json'),
    measured: work('measured.json'),
    noise: training('noise'),
    ...cutAndTuned((file) => file),
    /** Where several cuts are tried, or follow one another. */
    stages: work('stages'),
    stage: (name: string) => cutAndTuned((file) => join('stages', name, file)),
    trials: work(join('stages', 'trials.json')),
  };
}

export type CompressPaths = ReturnType<typeof compressPaths>;
/** What one of its trainings leaves. */
export type TrainingPaths = CompressPaths['noise'];
