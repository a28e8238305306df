import { join } from 'node:path';
import { quoted } from '../commands.js';
import type { SweepFile } from '../plan/read-sweep.js';
import type { SlurmSettings } from '../plan/sweep-fields.js';
import { type ArrayOf, slurmLog } from './arrays.js';

/**
 * The batch script of an array. Slurm tells it by USR1 that a run's time is nearly over, and the run ends with 75 when it is kept; then the task is put back in the queue, where the same command goes on.
 */
export function batchScript(sweep: SweepFile, { job, list }: ArrayOf, slurm: SlurmSettings): string {
  const { partition, time, mem, gres, signal, more } = slurm;
  const devices = gres ?? (sweep.gpus ? `gpu:${sweep.gpus}` : undefined);
  const options = [
    `--job-name=${job}`,
    `--chdir=${sweep.root}`,
    `--output=${slurmLog(sweep, job, '%a')}`,
    '--open-mode=append',
    '--requeue',
    `--signal=B:USR1@${signal}`,
    '--ntasks=1',
    ...(sweep.cores > 0 ? [`--cpus-per-task=${sweep.cores}`] : ['--exclusive']),
    ...(partition === undefined ? [] : [`--partition=${partition}`]),
    ...(time === undefined ? [] : [`--time=${time}`]),
    ...(mem === undefined ? [] : [`--mem=${mem}`]),
    ...(devices === undefined ? [] : [`--gres=${devices}`]),
    ...more,
  ];
  const threads =
    sweep.cores > 0 ? ['OMP_NUM_THREADS', 'TF_NUM_INTRAOP_THREADS', 'TF_NUM_INTEROP_THREADS'] : [];
  return `#!/bin/bash
${options.map((option) => `#SBATCH ${directive(option)}`).join('\n')}

line=$(sed -n "$((SLURM_ARRAY_TASK_ID + 1))p" ${quoted([list])})
name=\${line%%$'\\t'*}
command=\${line#*$'\\t'}
${threads.map((name) => `export ${name}=${sweep.cores}\n`).join('')}
log=${quoted([join(sweep.folder, 'logs')])}/$name.log

# Slurm sends USR1 to this shell alone, and TERM to the command, too: from here it would be a second one, which means "at once".
trap 'asked=1; kill -USR1 "$child" 2>/dev/null' USR1
trap 'asked=1' TERM
eval "$command >>\\"\\$log\\" 2>&1 &"
child=$!
asked=
wait "$child"
code=$?
# a signal ends the wait, and not the command
while [ -n "$asked" ]; do
  asked=
  wait "$child"
  code=$?
done

case "$code" in
  130 | 143) ;;
  129 | 1[3-9]?) echo "killed by signal $((code - 128)); the same command goes on" >>"$log" ;;
esac
if [ "$code" = 75 ]; then
  scontrol requeue "\${SLURM_ARRAY_JOB_ID}_\${SLURM_ARRAY_TASK_ID}" && exit 0
fi
exit "$code"
`;
}

/** As sbatch reads its lines: words apart by spaces, quotes around those that have some. */
const directive = (option: string) =>
  /[\s"'\\#]/.test(option) ? `"${option.replaceAll(/["\\]/g, '\\$&')}"` : option;
