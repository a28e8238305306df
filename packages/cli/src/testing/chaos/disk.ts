import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { command, startProgram } from '../process.js';
import { filesIn, lastLine, type Subject, whyNot } from './subject.js';
import type { Harm, Trial } from './trial.js';

const namespace = ['--map-root-user', '--mount'];

/** Whether this user may have disks of his own, as small as he likes. */
export const canMount = (): boolean =>
  spawnSync('unshare', [...namespace, 'sh', '-c', 'mount -t tmpfs none /tmp']).status === 0;

/** Disks that are full at some time; and then they are made larger. */
export function disk({ subjects, count }: Harm): Trial[] {
  return Array.from({ length: count }, (_, i) => {
    const subject = subjects[i % subjects.length]!;
    const whole = filesIn(subject.whole).reduce((sum, file) => sum + statSync(file).size, 0);
    const bytes = Math.ceil((whole * (i + 1)) / (count + 1));
    return {
      kind: 'a disk that fills up',
      name: `${subject.name}: a disk of ${bytes} bytes`,
      run: (folder) => onDisk(subject, folder, bytes),
    };
  });
}

/** The codes of a run on the small disk, and of the same command on a larger one. */
async function onDisk(subject: Subject, folder: string, bytes: number): Promise<string | undefined> {
  const { home, args } = subject;
  mkdirSync(folder);
  const own = [process.execPath, command, ...args(`${folder}/disk/run`)].map((word) => `'${word}'`).join(' ');
  const script = [
    `mkdir '${folder}/disk' && mount -t tmpfs -o size=${bytes} none '${folder}/disk' || exit 9`,
    `${own} > '${folder}/first' 2>&1; echo $? > '${folder}/code'`,
    `mount -o remount,size=1g '${folder}/disk'`,
    `${own}; code=$?`,
    `cp -r '${folder}/disk/run' '${folder}/run'; exit $code`,
  ].join('\n');
  const ended = await startProgram('unshare', [...namespace, 'sh', '-c', script], { cwd: home }).ended;
  const [code, first] = ['code', 'first'].map((name) => readFileSync(`${folder}/${name}`, 'utf8'));
  const last = lastLine(first!);
  const isSaid = Number(code) === 1 && /^sbp: .*disk.* (is|filled) (full|up)/.test(last);
  if (Number(code) !== 0 && !isSaid) return `on the small disk ended with ${code!.trim()}: ${last}`;
  return whyNot(subject, `${folder}/run`, ended);
}
