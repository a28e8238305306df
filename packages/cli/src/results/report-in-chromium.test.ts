import { execFile } from 'node:child_process';
import { accessSync, constants, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import * as tf from '@tensorflow/tfjs';
import { decode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { finishedRun } from '../testing/finished-run.js';
import { emptyFolder } from '../testing/process.js';
import { sbp } from '../testing/sbp.js';

const chromium = (process.env.PATH ?? '')
  .split(delimiter)
  .flatMap((path) => ['chromium', 'chromium-browser', 'google-chrome'].map((name) => join(path, name)))
  .find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
const skipped = chromium ? '' : ' (skipped: no Chromium is installed; apt-get install chromium)';

let folder: string;
let page: string;

/** Opens the page from disk, with every way to a network closed. */
async function browse(...args: string[]): Promise<string> {
  const profile = mkdtempSync(join(tmpdir(), 'sbp-chromium-'));
  const closed = ['--host-resolver-rules=MAP * ~NOTFOUND', '--proxy-server=http://127.0.0.1:9'];
  const quiet = ['--no-first-run', '--disable-background-networking', '--disable-component-update'];
  // A container's root has no sandbox, and little shared memory.
  const contained = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'];
  const all = ['--headless', `--user-data-dir=${profile}`, ...closed, ...quiet, ...contained, ...args];
  try {
    const { stdout } = await promisify(execFile)(chromium!, [...all, pathToFileURL(page).href], {
      maxBuffer: 64e6,
      timeout: 170_000,
      killSignal: 'SIGKILL',
    });
    return stdout;
  } finally {
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** How many pixels of a screenshot have each colour. */
async function colours(width: number, ...args: string[]): Promise<Map<string, number>> {
  const file = join(folder, `${width}.png`);
  await browse(`--screenshot=${file}`, `--window-size=${width},3000`, '--hide-scrollbars', ...args);
  const { data, channels } = decode(readFileSync(file));
  const found = new Map<number, number>();
  for (let at = 0; at < data.length; at += channels) {
    const colour = (data[at]! << 16) | (data[at + 1]! << 8) | data[at + 2]!;
    found.set(colour, (found.get(colour) ?? 0) + 1);
  }
  const name = (colour: number) => `#${colour.toString(16).padStart(6, '0')}`;
  return new Map([...found].map(([colour, pixels]) => [name(colour), pixels]));
}

beforeAll(async () => {
  await tf.setBackend('cpu');
  folder = emptyFolder();
  await finishedRun(join(folder, 'run'));
  await sbp(folder, 'report', 'run');
  page = join(folder, 'run/report.html');
});
afterAll(() => rmSync(folder, { recursive: true }));

describe.skipIf(!chromium)(`a report in headless Chromium${skipped}`, () => {
  it('holds its table and pictures once it is parsed', async () => {
    const dom = await browse('--dump-dom');
    expect(dom).toContain('<th scope="row">Small</th><td class="number">1.81</td>');
    expect(dom.match(/<svg class="wide"/g)).toHaveLength(4);
    expect(dom.match(/<\/section>/g)).toHaveLength(5);
  }, 180_000);

  it.each([
    ['light', '#0969da', '#f6f8fa', []],
    ['dark', '#4493f8', '#0d1117', ['--blink-settings=preferredColorScheme=0']],
  ])(
    'is drawn on %s ground, with bars that can be seen',
    async (_, bars, ground, args) => {
      const found = await colours(1200, ...args);
      const pixels = [...found.values()].reduce((sum, one) => sum + one, 0);
      expect(found.get(ground)! / pixels).toBeGreaterThan(0.05);
      expect(found.get(ground)! / pixels).toBeLessThan(0.8);
      expect(found.get(bars)).toBeGreaterThan(3000);
      expect(found.size).toBeGreaterThan(100);
    },
    180_000,
  );

  it('is drawn on a narrow screen, too', async () => {
    const found = await colours(600);
    expect(found.get('#0969da')).toBeGreaterThan(3000);
  }, 180_000);
});
