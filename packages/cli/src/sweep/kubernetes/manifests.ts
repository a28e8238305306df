import { posix, relative, sep } from 'node:path';
import { stringify } from 'yaml';
import { quoted } from '../commands.js';
import type { SweepRun } from '../plan/kind.js';
import type { SweepFile } from '../plan/read-sweep.js';
import type { KubernetesSettings } from '../plan/sweep-fields.js';

/** The files of a stage. */
export interface StageManifest {
  stage: string;
  job: string;
  /** A run a line, by its index. */
  commands: string;
  /** The indexed Job. */
  yaml: string;
}

/** What ends a run that goes on when it is begun again: 130, 143, 75 as sbp ends by signals, 137 as a node kills. */
const STOPPED = [75, 130, 137, 143];
/** Wrong input is wrong the next time, too. */
const WRONG = [2];

/**
 * A stage's indexed Job: its index is a line of a file on the volume. All runs are in it, also those that are done, which say so and end: what is on the volume need not be here.
 *
 * @param list the file of commands, in the folder that the volume holds
 */
export function stageManifest(
  sweep: SweepFile,
  { stage, runs, number, list }: { stage: string; runs: readonly SweepRun[]; number: number; list: string },
  settings: KubernetesSettings,
): StageManifest {
  const { image, claim, folder, namespace, memory, cap, retries } = settings;
  const job = jobName(sweep.name, number, stage);
  const there = (path: string) => relative(sweep.root, path).replaceAll(sep, posix.sep) || '.';
  const labels = { 'app.kubernetes.io/name': 'sbp', 'app.kubernetes.io/part-of': label(sweep.name) };
  const cores = Math.max(1, sweep.cores);
  const amounts = {
    cpu: String(cores),
    memory,
    ...(sweep.gpus ? { 'nvidia.com/gpu': String(sweep.gpus) } : {}),
  };
  const manifest = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: job, ...(namespace !== undefined && { namespace }), labels },
    spec: {
      completionMode: 'Indexed',
      completions: runs.length,
      parallelism: Math.min(cap ?? runs.length, runs.length),
      // a run that fails does not end the others
      backoffLimitPerIndex: retries,
      podFailurePolicy: {
        rules: [
          { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
          { action: 'Ignore', onExitCodes: { containerName: 'sbp', operator: 'In', values: STOPPED } },
          { action: 'FailIndex', onExitCodes: { containerName: 'sbp', operator: 'In', values: WRONG } },
        ],
      },
      template: {
        metadata: { labels },
        spec: {
          restartPolicy: 'Never',
          // a checkpoint is there within five seconds
          terminationGracePeriodSeconds: 30,
          containers: [
            {
              name: 'sbp',
              image,
              workingDir: folder,
              command: [
                'sh',
                '-c',
                `eval "exec $(sed -n "$((JOB_COMPLETION_INDEX + 1))p" ${quoted([there(list)])})"`,
              ],
              env: [{ name: 'OMP_NUM_THREADS', value: String(cores) }],
              resources: { requests: amounts, limits: amounts },
              volumeMounts: [{ name: 'sweep', mountPath: folder }],
            },
          ],
          volumes: [{ name: 'sweep', persistentVolumeClaim: { claimName: claim } }],
        },
      },
    },
  };
  const commands = runs.map(({ args }) => `${quoted(['sbp', ...args(there)])}\n`).join('');
  return { stage, job, commands, yaml: stringify(manifest, { lineWidth: 0 }) };
}

/** Pods are named after it, with their index and more behind it, in at most 63 characters of DNS. */
const jobName = (sweep: string, number: number, stage: string) =>
  `${slug(sweep, 20)}-${number}-${slug(stage, 20)}`;

const slug = (name: string, most: number) =>
  name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, most)
    .replaceAll(/^-+|-+$/g, '');

const label = (name: string) => name.slice(0, 60).replaceAll(/[^\w.-]/g, '-');

/**
 * The shell script that gives the Jobs to a cluster, one stage after the other: Kubernetes has no order among Jobs, and pods that wait would keep the places which those need that they wait for. A run whose start failed says so and fails; the others go on.
 */
export function applyScript(
  stages: readonly { job: string; file: string }[],
  namespace: string | undefined,
): string {
  const kubectl = namespace === undefined ? 'kubectl' : `kubectl --namespace ${quoted([namespace])}`;
  const steps = stages.map(({ job, file }, i) => {
    const apply = `${kubectl} apply -f ${quoted([file])}`;
    return i === stages.length - 1 ? apply : `${apply}\nended ${job}`;
  });
  return `#!/bin/sh
# Gives the stages of a sweep to Kubernetes, each when the one before has ended; the same again goes on.
set -e
cd "$(dirname "$0")"
ended() {
  until ${kubectl} get job "$1" -o 'jsonpath={.status.conditions[?(@.status=="True")].type}' | grep -qE 'Complete|Failed'; do
    sleep 10
  done
}
${steps.join('\n')}
`;
}
