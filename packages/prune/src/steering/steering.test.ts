import { describe, expect, it } from 'vitest';
import { type PlantOptions, plant } from '../testing/plant.js';
import { type SteeringState, steering } from './steering.js';

/** Trains the plant to its end, calls every 1/100 of it, and tells the shares at 80 % and at the end, and the smallest on the way. */
function steered(options: PlantOptions, asked: number, expected: number) {
  const { train, share, edge } = plant(options);
  const steer = steering({ expected });
  let { scale, state } = steer(undefined, 0, edge(asked));
  let [at80, least] = [1, 1];
  for (let step = 1; step <= options.steps; step++) {
    train(scale);
    if (step % (options.steps / 100) === 0)
      ({ scale, state } = steer(state, step / options.steps, edge(asked)));
    if (step === 0.8 * options.steps) at80 = share();
    least = Math.min(least, share());
  }
  return { at80, least, end: share() };
}

/** Edges that are told in a hundred calls, and the scales that come of it. */
function scalesFor(edgeAt: (progress: number) => number, expected = 1): number[] {
  const steer = steering({ expected });
  const scales: number[] = [];
  let state: SteeringState | undefined;
  for (let i = 0; i <= 100; i++) {
    const now = steer(state, i / 100, edgeAt(i / 100));
    scales.push(now.scale);
    state = now.state;
  }
  return scales;
}

describe('steering', () => {
  // groups' worth to the data over four orders of magnitude, and noise that takes 100 steps or 250 to drown one
  it.each([
    [{ steps: 600, rate: 0.03, worth: -9 }, 0.7, 1],
    [{ steps: 600, rate: 0.03, worth: -5 }, 0.3, 1],
    [{ steps: 1200, rate: 0.015, worth: -9 }, 0.25, 1],
    // a hundred times too much, as Fisher information may have it
    [{ steps: 1200, rate: 0.015, worth: -9 }, 0.25, 1000],
    [{ steps: 1200, rate: 0.015, worth: -5 }, 0.5, 100],
  ])(
    '%j comes to a share of %d, and never below it, where a scale of %d is expected',
    (options, asked, expected) => {
      const { at80, least, end } = steered({ ...options, groups: 40, spread: 2 }, asked, expected);
      // one of 40 groups is 4 % of the share and more
      for (const share of [at80, least, end]) expect(Math.abs(Math.log(share / asked))).toBeLessThan(0.25);
    },
  );

  it('goes on from its state as JSON', () => {
    const steer = steering();
    let [straight, resumed]: (SteeringState | undefined)[] = [];
    for (let i = 0; i <= 20; i++) {
      const edge = 20 * 0.8 ** i;
      straight = steer(straight, i / 20, edge).state;
      resumed = steer(resumed && JSON.parse(JSON.stringify(resumed)), i / 20, edge).state;
    }
    expect(resumed).toEqual(straight);
    // called again at the same place
    expect(steer(straight, 1, 0.1)).toEqual({ scale: Math.exp(straight!.logScale), state: straight });
  });

  it('comes to the scale that was expected, by equal factors, where noise rests at what scale over worth says', () => {
    const scales = scalesFor((progress) => 20 ** Math.max(0, 1 - progress / 0.6), 50);
    expect(scales[0]).toBeCloseTo(50 / 20 ** 2, 10);
    expect(scales[30]).toBeCloseTo(50 / 20, 0);
    for (const scale of scales.slice(60)) expect(Math.abs(Math.log(scale / 50))).toBeLessThan(0.4);
  });

  it('raises the scale while the edge is too high, lowers it where it is too low, by limited steps and not without end', () => {
    const [stuck, gone] = [scalesFor(() => 20), scalesFor((progress) => (progress === 0 ? 20 : 0.5))];
    const begun = 1 / 20 ** 2;
    expect(stuck.at(-1)).toBeGreaterThan(1e3);
    expect(Math.max(...stuck)).toBeLessThan(begun * Math.exp(20.1));
    expect(Math.min(...gone)).toBeGreaterThan(begun * Math.exp(-7.1));
    const ratios = [...stuck, ...gone].slice(1).map((scale, i) => scale / [...stuck, ...gone][i]!);
    expect(Math.max(...ratios.filter((_, i) => i !== 100))).toBeLessThan(1.5);
  });

  it('keeps the scale at what it may be at most, and falls from there at once', () => {
    const steer = steering({ expected: 100 });
    let { scale, state } = steer(undefined, 0, 10);
    for (let i = 1; i <= 50; i++) ({ scale, state } = steer(state, i / 100, 10, 3));
    expect(scale).toBeCloseTo(3, 10);
    ({ scale } = steer(state, 0.51, 0.5, 3));
    expect(scale).toBeLessThan(2);
  });

  it('refuses what cannot be asked', () => {
    expect(() => steering({ expected: 0 })).toThrow(
      /^steering: expected is 0; expected a number above 0 and at most/,
    );
    expect(() => steering({ until: 2 })).toThrow(/until is 2/);
  });
});
