import type { Candidates } from '../criteria/candidates.js';
import type { Cutter } from './cutter.js';
import { lookUp, type Prices, priceOf, type Ranked } from './ranking.js';
import type { Limit } from './target.js';

/** Where less than this is left of the target, single groups are put back or exchanged. */
const CLOSE = 0.98;
/** How many at most are tried. */
const TRIES = 60;

/**
 * Comes closer to a target that single large groups make a cut fall short of: puts smaller ones back, the most worthy first, while there is room; and where there is none for one more, puts one back
 * and takes some of another set for it.
 */
export function closer(
  gone: readonly Ranked[],
  ranked: readonly Ranked[],
  cutter: Cutter,
  { limit }: Limit,
  pricesWithout: (gone: readonly Ranked[]) => Prices,
): Ranked[] {
  let now = [...gone];
  const full = new Set<Candidates>();
  const isFar = () => cutter.left(now) < CLOSE * limit;
  for (let tries = 0; tries < TRIES && isFar(); tries++) {
    const at = now.findLastIndex(({ of }) => !full.has(of));
    if (at < 0) break;
    const fewer = now.toSpliced(at, 1);
    if (cutter.left(fewer) <= limit) now = fewer;
    else full.add(now[at]!.of);
  }
  for (let tries = 0; tries < TRIES && isFar(); ) {
    const left = cutter.left(now);
    const others = exchanges(now, ranked, left, limit, pricesWithout(now)).slice(0, TRIES - tries);
    tries += others.length;
    const better = others.find((other) => {
      const reached = cutter.left(other);
      return reached > left && reached <= limit;
    });
    if (!better) break;
    now = better;
  }
  return now;
}

/** The last portion of a set for as few of another as make up for it, those first that promise to come closest. */
function exchanges(
  gone: readonly Ranked[],
  ranked: readonly Ranked[],
  left: number,
  limit: number,
  prices: Prices,
): Ranked[][] {
  const isGone = lookUp(gone);
  const staying = ranked.filter((each) => !isGone(each));
  const sets = [...new Set(ranked.map(({ of }) => of))];
  const pairs = sets.flatMap((set) => {
    const one = gone.findLast(({ of }) => of === set);
    if (!one) return [];
    return sets.flatMap((other) => {
      const taken: Ranked[] = [];
      let now = left + priceOf(one, prices);
      for (const next of staying) {
        if (now <= limit) break;
        if (next.of !== other || other === set) continue;
        taken.push(next);
        now -= priceOf(next, prices);
      }
      return taken.length > 0 ? { one, taken, now } : [];
    });
  });
  return pairs
    .filter(({ now }) => now > left && now <= limit)
    .sort((a, b) => b.now - a.now)
    .map(({ one, taken }) => [...gone.filter((each) => each !== one), ...taken]);
}
