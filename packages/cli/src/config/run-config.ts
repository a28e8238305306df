import * as z from 'zod';
import { conflicts } from './conflicts.js';
import { withNewNames } from './older-names.js';
import { runFields } from './run-fields.js';

/** A run of `sbp train`, with its defaults; unknown keys are errors. */
export const runConfigSchema = z.preprocess(
  withNewNames,
  runFields.superRefine((config, context) => {
    for (const [path, message] of conflicts(config)) context.addIssue({ code: 'custom', path, message });
  }),
);

/** What a config file may leave out. */
export type RunConfigInput = z.input<typeof runFields>;
export type { RunConfig } from './run-fields.js';
