import { describe, expect, it } from 'vitest';
import { type PlantOptions, plant } from '../testing/plant.js';
import { type SteeringState, steering } from './steering.js';

/** Trains the plant to its end, calls every 1/40 of it, and tells the shares at 80 % and at the end. */
function steered(options: PlantOptions, asked: number) {
  const { train, share } = plant(options);
  const { initial, next } = steering({ asked });
  let state = initial;
  let scale = Math.exp(state.logScale);
  let at80 = 1;
  for (let step = 1; step <= options.steps; step++) {
    train(scale);
    if (step % (options.steps / 40) === 0) ({ scale, state } = next(state, step / options.steps, share()));
    if (step === 0.8 * options.steps) at80 = share();
  }
  return { at80, end: share() };
}

describe('steering', () => {
  // groups' worth to the data over four orders of magnitude, and noise that takes 100 steps or 250 to drown one
  it.each([
    [{ steps: 600, rate: 0.03, worth: -9 }, 0.7],
    [{ steps: 600, rate: 0.03, worth: -5 }, 0.3],
  ])('%j comes to a share of %d', (options, asked) => {
    const { at80, end } = steered({ ...options, groups: 40, spread: 2 }, asked);
    // one of 40 groups is 4 % of the share and more
    for (const share of [at80, end]) expect(Math.abs(Math.log(share / asked))).toBeLessThan(0.25);
  });

  it('goes on from its state as JSON', () => {
    const { initial, next } = steering({ asked: 0.5 });
    let [straight, resumed] = [initial, initial];
    for (let i = 1; i <= 20; i++) {
      const share = 1 - 0.02 * i;
      straight = next(straight, i / 20, share).state;
      resumed = next(JSON.parse(JSON.stringify(resumed)) as SteeringState, i / 20, share).state;
    }
    expect(resumed).toEqual(straight);
    expect(next(straight, 1, 0.1)).toEqual({ scale: Math.exp(straight.logScale), state: straight });
  });

  it('raises the scale while too much is left, lowers it where too little is, by limited steps and not without end', () => {
    const { initial, next } = steering({ asked: 0.3, start: 1 });
    const run = (share: number) => {
      const scales: number[] = [];
      let state = initial;
      for (let i = 1; i <= 100; i++) {
        const now = next(state, i / 100, share);
        scales.push(now.scale);
        state = now.state;
      }
      return scales;
    };
    const [stuck, gone] = [run(1), run(0.05)];
    expect(stuck[2]).toBe(1);
    expect(stuck.at(-1)).toBeGreaterThan(1e3);
    expect(Math.max(...stuck)).toBeLessThan(1e7);
    expect(Math.min(...gone)).toBeGreaterThan(0.04);
    const ratios = stuck.slice(1).map((scale, i) => scale / stuck[i]!);
    expect(Math.max(...ratios)).toBeLessThan(1.25);
  });

  it('refuses what cannot be asked', () => {
    expect(() => steering({ asked: 0 })).toThrow(
      /^steering: asked is 0; expected a number above 0 and at most 1$/,
    );
    expect(() => steering({ asked: 0.5, until: 2 })).toThrow(/until is 2/);
    expect(() => steering({ asked: 0.5, start: -1 })).toThrow(/start is -1/);
  });
});
