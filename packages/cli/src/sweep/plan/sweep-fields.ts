import * as z from 'zod';

/** How a sweep's runs come to be: commands of ours that make a folder each. */
export const commandNames = ['train', 'compress'] as const;

/** Stages and sweeps name folders, jobs and files. */
const name = (most: number) =>
  z
    .string()
    .max(most, { error: `at most ${most} characters` })
    .regex(/^[A-Za-z0-9]([\w.-]*[A-Za-z0-9])?$/, {
      error: 'letters, digits, . _ - with a letter or digit at both ends, as it names files and jobs',
    });
export const stageName = name(40);

/** Numbers from one to another, both with them. */
export const rangeFields = z
  .strictObject({
    from: z.number(),
    to: z.number(),
    steps: z.int().min(2).max(10_000).describe('How many numbers, both ends among them.'),
    scale: z
      .enum(['linear', 'log'])
      .default('linear')
      .describe('log: each a fixed number of times the one before.'),
  })
  .refine(({ from, to, scale }) => scale === 'linear' || (from > 0 && to > 0), {
    error: "'from' and 'to' above 0, with the scale 'log'",
  });

const stage = {
  from: stageName
    .optional()
    .describe('The stage whose runs these start from; each from those that share its values.'),
  name: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Names its runs: {seed} stands for the value of what varies. Default: the stage's name and all that varies.",
    ),
  values: z
    .record(z.string(), z.unknown())
    .default({})
    .describe(
      'Of train, fields of the config, with dots: noise.klScale; of compress, model, and options by their long names. A list or a range { from, to, steps, scale } is a run each.',
    ),
};

/** The fields of a stage, by its command. */
export const stageFields = {
  train: z.strictObject({
    command: z.literal('train'),
    config: z
      .union([z.string().min(1), z.record(z.string(), z.unknown())])
      .describe('The config that values are laid over: a file, relative to this one, or the config itself.'),
    ...stage,
  }),
  compress: z.strictObject({ command: z.literal('compress'), ...stage }),
} as const;

/** Of what a queue gives each run. */
export const slurmFields = z.strictObject({
  partition: z.string().min(1).optional().describe("Where runs are queued. Default: the cluster's."),
  time: z
    .string()
    .regex(/^\d+(-\d+(:\d+){0,2}|(:\d+){0,2})$/, {
      error: 'a time as sbatch takes it, such as 30:00 or 1-12:00:00',
    })
    .optional()
    .describe('The longest that a run may take at a time; one that takes longer is put back and goes on.'),
  mem: z
    .string()
    .regex(/^\d+[KMGT]?$/, { error: 'memory as sbatch takes it, such as 2G' })
    .optional()
    .describe('Memory of a run.'),
  gres: z.string().min(1).optional().describe('Such as gpu:1. Default: gpu: and gpus, where that is given.'),
  cap: z.int().min(1).optional().describe('So many runs of a stage at once at most.'),
  signal: z
    .int()
    .min(5)
    .default(60)
    .describe('Seconds before the end of its time at which a run is told to write a checkpoint.'),
  more: z
    .array(
      z
        .string()
        .regex(/^--[a-z][\w-]*(=[^\n\r]*)?$/, { error: 'an option of sbatch, such as --account=lab' }),
    )
    .default([])
    .describe('Further options of sbatch.'),
});

export const kubernetesFields = z.strictObject({
  image: z.string().min(1).describe('An image that has sbp on its path.'),
  claim: z.string().min(1).describe("The persistent volume claim that holds the sweep file's folder."),
  folder: z
    .string()
    .startsWith('/')
    .default('/sweep')
    .describe("Where it is mounted: the sweep file's folder."),
  namespace: z.string().min(1).optional(),
  memory: z.string().min(1).default('2Gi').describe('Memory of a run.'),
  cap: z
    .int()
    .min(1)
    .max(10_000)
    .optional()
    .describe('So many runs of a stage at once at most. Default: all.'),
  retries: z
    .int()
    .min(0)
    .default(2)
    .describe('How often a run is begun again that failed, preemptions not counted.'),
});

/** The fields of a sweep's file. */
export const sweepFields = z.strictObject({
  name: name(60).optional().describe("Default: the file's name without .json."),
  runs: z.string().min(1).default('runs').describe('Folder of the runs, relative to this file.'),
  cores: z
    .int()
    .min(0)
    .default(1)
    .describe(
      'Cores of a run, and with 1 its replicas where its config says none. 0: all, one run at a time.',
    ),
  gpus: z
    .int()
    .min(0)
    .optional()
    .describe('GPUs of a run. Default here: 1 where there are some and TensorFlow may compute; else 0.'),
  stages: z.record(z.string(), z.unknown()).describe('What is run, by names of your own.'),
  slurm: slurmFields.prefault({}).describe('For --on slurm.'),
  kubernetes: kubernetesFields.optional().describe('For --on kubernetes.'),
});

export type SlurmSettings = z.output<typeof slurmFields>;
export type KubernetesSettings = z.output<typeof kubernetesFields>;
export type Stage = z.output<(typeof stageFields)[keyof typeof stageFields]>;
