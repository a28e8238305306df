import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { environment } from '@sbp/bench';

/** Prints what a benchmark came to and, where it is asked for, leaves it as <stem>.md, and its figures with the machine's as <stem>.json. */
export function written(
  text: string,
  figures: object,
  { stem, title, command }: { stem: string | undefined; title: string; command: string },
): void {
  console.log(text);
  if (stem === undefined) return;
  // where it was put is another place on each machine
  const own = process.argv
    .slice(2)
    .filter((word, i, all) => ![word, all[i - 1]].some((each) => /^--(folder|out)$/.test(each ?? '')));
  mkdirSync(dirname(stem), { recursive: true });
  writeFileSync(
    `${stem}.md`,
    `# ${title}\n\n${text}\n\nPrinted by \`npm run ${[command, ...(own.length > 0 ? ['--', ...own] : [])].join(' ')}\`.\n`,
  );
  writeFileSync(
    `${stem}.json`,
    `${JSON.stringify({ ...figures, environment: environment() }, undefined, 2)}\n`,
  );
}
