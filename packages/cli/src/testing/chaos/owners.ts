import { begin, lastLine, whyNot } from './subject.js';
import { type Harm, pause, type Trial } from './trial.js';

/** Two that run the same at once: one does it, the other says who does. */
export function owners({ subjects, random, count }: Harm): Trial[] {
  return Array.from({ length: count }, (_, i) => {
    const subject = subjects[i % subjects.length]!;
    const later = random(1)[0]! * subject.seconds;
    return {
      kind: 'two owners',
      name: `${subject.name}: the second ${later.toFixed(2)} s after the first`,
      async run(folder) {
        const first = begin(subject, folder);
        await pause(i % 4 === 0 ? 0 : later);
        const second = begin(subject, folder);
        const ends = [await first.ended, await second.ended];
        const refused = ends.filter(({ code }) => code === 2);
        const others = ends.filter(({ code }) => code !== 2);
        for (const { stderr } of refused)
          if (!/is being worked in by/.test(stderr)) return `refused with: ${lastLine(stderr)}`;
        if (others.length === 0) return 'both were refused';
        return others.map((end) => whyNot(subject, folder, end)).find(Boolean);
      },
    };
  });
}
