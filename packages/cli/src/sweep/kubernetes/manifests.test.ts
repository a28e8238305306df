import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Job } from 'kubernetes-models/batch/v1';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { emptyFolder } from '../../testing/process.js';
import { sbp } from '../../testing/sbp.js';

const folder = emptyFolder();
afterAll(() => rmSync(folder, { recursive: true }));
const config = { model: 'lenet-fc', engine: 'wasm' };
const sweep = {
  cores: 2,
  gpus: 1,
  stages: {
    'First_stage.of-a-very-long-name-indeed': {
      command: 'train',
      config: { ...config, method: 'original' },
      values: { 'train.seed': [0, 1, 2] },
      name: 'original-{seed}',
    },
    noise: {
      command: 'train',
      from: 'First_stage.of-a-very-long-name-indeed',
      config,
      values: { 'train.seed': [0, 1], 'noise.klScale': [1, 2] },
    },
  },
  kubernetes: { image: 'sbp:1', claim: 'runs', namespace: 'lab', cap: 3 },
};
const write = (given: object) => writeFileSync(join(folder, 'KL_scales.json'), JSON.stringify(given));
const at = (name: string) => join(folder, 'runs/KL_scales.sweep/kubernetes', name);
const manifest = (file: string) => parse(readFileSync(at(file), 'utf8'));
const files = ['1-First_stage.of-a-very-long-name-indeed', '2-noise'];

describe('sbp sweep --on kubernetes', () => {
  it('writes an indexed Job a stage that the official schema takes', async () => {
    write(sweep);
    const ended = await sbp(folder, 'sweep', 'KL_scales.json', '--on', 'kubernetes');
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(ended.stdout).toMatch(
      /^runs\/.+\/1-First.+\.yaml: 3 runs\nruns\/.+\/2-noise\.yaml: 4 runs\nWith this folder on the claim runs, sh runs\/KL_scales\.sweep\/kubernetes\/apply\.sh gives them/,
    );
    for (const [i, runs] of [3, 4].entries()) {
      const job = manifest(`${files[i]}.yaml`);
      expect(() => new Job(job).validate()).not.toThrow();
      expect(job.metadata).toMatchObject({ namespace: 'lab' });
      // pods are named after it, and have at most 63 characters
      expect(job.metadata.name).toMatch(/^[a-z0-9]([a-z0-9-]{0,48}[a-z0-9])$/);
      expect(job.spec).toMatchObject({ completionMode: 'Indexed', completions: runs, parallelism: 3 });
      const [container] = job.spec.template.spec.containers;
      expect(container).toMatchObject({
        name: job.spec.podFailurePolicy.rules[1].onExitCodes.containerName,
        image: 'sbp:1',
        workingDir: '/sweep',
        resources: { limits: { cpu: '2', memory: '2Gi', 'nvidia.com/gpu': '1' } },
      });
      expect(job.spec.podFailurePolicy.rules[1].onExitCodes.values).toEqual([75, 130, 137, 143]);
    }
  });

  it('is told by that schema where it is wrong', () => {
    const job = manifest(`${files[1]}.yaml`);
    expect(() => new Job({ ...job, spec: { ...job.spec, completions: 'four' } }).validate()).toThrow(
      /completions/,
    );
    const { template: _, ...spec } = job.spec;
    expect(() => new Job({ ...job, spec } as never).validate()).toThrow(/template/);
  });

  it("runs its index's command, from the folder of the sweep's file, wherever that is mounted", () => {
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'sbp'), '#!/bin/sh\necho "$@"\n', { mode: 0o755 });
    const [command, ...args] = manifest(`${files[1]}.yaml`).spec.template.spec.containers[0].command;
    const env = { PATH: `${bin}:${process.env.PATH}`, JOB_COMPLETION_INDEX: '3' };
    const { stdout } = spawnSync(command, args, { cwd: folder, env, encoding: 'utf8' });
    expect(stdout).toBe('train runs/KL_scales.sweep/configs/noise-seed1-klScale2.json --runs runs\n');
  });

  it('gives the second stage to a cluster when the first has ended', () => {
    const kubectl = `#!/bin/sh
echo "$@" >>"${join(folder, 'asked')}"
case "$*" in *" get job "*) [ "$(grep -c " get job " "${join(folder, 'asked')}")" -gt 1 ] && echo Failed ;; esac
exit 0
`;
    writeFileSync(join(folder, 'bin/kubectl'), kubectl, { mode: 0o755 });
    writeFileSync(join(folder, 'bin/sleep'), '#!/bin/sh\n', { mode: 0o755 });
    const env = { PATH: `${join(folder, 'bin')}:${process.env.PATH}` };
    expect(spawnSync('sh', [at('apply.sh')], { env }).status).toBe(0);
    const name = manifest(`${files[0]}.yaml`).metadata.name;
    const asked = readFileSync(join(folder, 'asked'), 'utf8').trim().split('\n');
    const look = `--namespace lab get job ${name} -o jsonpath={.status.conditions[?(@.status=="True")].type}`;
    expect(asked).toEqual([
      `--namespace lab apply -f ${files[0]}.yaml`,
      look,
      look,
      `--namespace lab apply -f ${files[1]}.yaml`,
    ]);
  });

  it.each([
    [{ kubernetes: undefined }, /kubernetes is not given; expected an object \{ … \} with image and claim/],
    [
      { runs: '../elsewhere' },
      /elsewhere is not in .+, the folder of KL_scales\.json, which the volume holds/,
    ],
    [{ kubernetes: { image: 'x' } }, /kubernetes\.claim is not given; expected a string/],
  ])('says in a line what is not there (%#)', async (more, message) => {
    write({ ...sweep, ...more });
    const { code, stderr } = await sbp(folder, 'sweep', 'KL_scales.json', '--on', 'kubernetes');
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });
});
