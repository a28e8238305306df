import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { begin, filesIn, finish, lastLine, type Subject, saysWhy, whyNot } from './subject.js';
import { type Harm, pause, type Trial } from './trial.js';

/** Ways that a file is damaged in. @param at where, in [0, 1) */
const ways: Record<string, (bytes: Buffer, at: number) => Buffer> = {
  cut: (bytes, at) => bytes.subarray(0, Math.floor(at * bytes.length)),
  flipped(bytes, at) {
    if (bytes.length > 0) bytes[Math.floor(at * bytes.length)]! ^= 1 << Math.floor(8 * ((97 * at) % 1));
    return bytes;
  },
  zeroed: (bytes) => bytes.fill(0),
};

/** What nobody trusts: for people and TensorBoard. */
const unread = /events|labels\.txt$/;
/** And of a compression that is done, what it would go on from to another target. */
const unreadOnceDone = /events|labels\.txt$|^work\//;

/** Every file of a run that is done. */
export const ofDone = ({ subjects, random }: Harm): Trial[] =>
  subjects.flatMap((subject) =>
    each(subject, subject.whole, { kind: 'a file of a finished run', but: unreadOnceDone, random }),
  );

/** Parts of a run's time after which it is stopped: in its first training, and in its second. */
const STOPPED = { train: 0.4, compress: 0.75 };

/** Every file of runs that were stopped in the middle of their trainings. */
export async function ofUnfinished({ subjects, random }: Harm, home: string): Promise<Trial[]> {
  const trials: Trial[] = [];
  for (const subject of subjects) {
    const folder = join(home, `${subject.name}-unfinished`);
    const { child, ended } = begin(subject, folder);
    await pause(STOPPED[subject.name] * subject.seconds);
    child.kill('SIGTERM');
    await ended;
    trials.push(...each(subject, folder, { kind: 'a file of an unfinished run', but: unread, random }));
  }
  return trials;
}

function each(
  subject: Subject,
  from: string,
  { kind, but, random }: { kind: string; but: RegExp; random: Harm['random'] },
): Trial[] {
  const files = filesIn(from).map((file) => relative(from, file));
  return files
    .filter((file) => !but.test(file))
    .flatMap((file) =>
      Object.entries(ways).map(([way, damage]): Trial => {
        const at = random(1)[0]!;
        return {
          kind: `${kind} ${way}`,
          name: `${subject.name}: ${file} ${way} at ${at.toFixed(3)}`,
          async run(folder) {
            cpSync(from, folder, { recursive: true });
            const path = join(folder, file);
            writeFileSync(path, damage(readFileSync(path), at));
            const ended = await begin(subject, folder).ended;
            if (ended.code === 0) return whyNot(subject, folder, ended);
            // what there is no other of can only be named
            if (!saysWhy(ended, /damaged|not what|delete/))
              return `ended with ${ended.code}: ${lastLine(ended.stderr)}`;
            writeFileSync(path, readFileSync(join(from, file)));
            return finish(subject, folder);
          },
        };
      }),
    );
}
