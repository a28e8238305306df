import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { begin, whyNot } from './subject.js';
import type { Harm, Trial } from './trial.js';

/** Seconds that clocks are set by, as time servers and people do. */
const jumps = [-7200, -60, 60, 7200, -86_400 * 400];

/** A clock that is set to another time while a run is under way. */
export function clock({ subjects, random }: Harm, home: string): Trial[] {
  return subjects.flatMap((subject) =>
    jumps.map((seconds, i): Trial => {
      const after = 1000 * random(1)[0]! * subject.seconds;
      const file = join(home, `clock-${subject.name}-${i}.mjs`);
      return {
        kind: 'a clock that is set',
        name: `${subject.name}: by ${seconds} s, after ${(after / 1000).toFixed(2)} s`,
        async run(folder) {
          writeFileSync(file, setClock(1000 * seconds, after));
          const env = { NODE_OPTIONS: `--import=${pathToFileURL(file)}` };
          return whyNot(subject, folder, await begin(subject, folder, env).ended);
        },
      };
    }),
  );
}

/** A module that has a process think that its clock was set. */
const setClock = (by: number, after: number) => `
const began = performance.now();
const RealDate = Date;
const shift = () => (performance.now() - began > ${after} ? ${by} : 0);
globalThis.Date = class extends RealDate {
  constructor(...given) { super(...(given.length === 0 ? [RealDate.now() + shift()] : given)); }
  static now() { return RealDate.now() + shift(); }
};
`;
