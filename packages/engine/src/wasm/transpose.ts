/** Where a matrix begins and how far its rows lie apart, in elements, before and after. */
interface Layout {
  fromStart: number;
  fromStride: number;
  toStart: number;
  toStride: number;
}

/**
 * to [columns, rows] = from [rows, columns] transposed, in blocks of 4 × 4: up to three times as fast as tfjs-backend-wasm's
 * Transpose where a row is a multiple of a page.
 */
export function transpose(
  from: Float32Array,
  to: Float32Array,
  rows: number,
  columns: number,
  { fromStart, fromStride, toStart, toStride }: Layout = {
    fromStart: 0,
    fromStride: columns,
    toStart: 0,
    toStride: rows,
  },
): void {
  const wholeRows = rows - (rows % 4);
  const wholeColumns = columns - (columns % 4);
  for (let c = 0; c < wholeColumns; c += 4) {
    for (let r = 0; r < wholeRows; r += 4) {
      const s0 = fromStart + r * fromStride + c;
      const s1 = s0 + fromStride;
      const s2 = s1 + fromStride;
      const s3 = s2 + fromStride;
      const d0 = toStart + c * toStride + r;
      const d1 = d0 + toStride;
      const d2 = d1 + toStride;
      const d3 = d2 + toStride;
      to[d0] = from[s0]!;
      to[d0 + 1] = from[s1]!;
      to[d0 + 2] = from[s2]!;
      to[d0 + 3] = from[s3]!;
      to[d1] = from[s0 + 1]!;
      to[d1 + 1] = from[s1 + 1]!;
      to[d1 + 2] = from[s2 + 1]!;
      to[d1 + 3] = from[s3 + 1]!;
      to[d2] = from[s0 + 2]!;
      to[d2 + 1] = from[s1 + 2]!;
      to[d2 + 2] = from[s2 + 2]!;
      to[d2 + 3] = from[s3 + 2]!;
      to[d3] = from[s0 + 3]!;
      to[d3 + 1] = from[s1 + 3]!;
      to[d3 + 2] = from[s2 + 3]!;
      to[d3 + 3] = from[s3 + 3]!;
    }
  }
  for (let r = 0; r < rows; r++) {
    const first = r < wholeRows ? wholeColumns : 0;
    for (let c = first; c < columns; c++)
      to[toStart + c * toStride + r] = from[fromStart + r * fromStride + c]!;
  }
}

/** to [b, a, run] = from [a, b, run] with the first two axes swapped. */
export function swapLeadingAxes(
  from: Float32Array,
  to: Float32Array,
  a: number,
  b: number,
  run: number,
): void {
  for (let j = 0; j < b; j++) {
    for (let i = 0; i < a; i++) {
      copyRun(from, (i * b + j) * run, to, (j * a + i) * run, run);
    }
  }
}

function copyRun(from: Float32Array, source: number, to: Float32Array, target: number, count: number): void {
  const wholeEnd = source + (count - (count % 4));
  const end = source + count;
  let s = source;
  let t = target;
  for (; s < wholeEnd; s += 4, t += 4) {
    to[t] = from[s]!;
    to[t + 1] = from[s + 1]!;
    to[t + 2] = from[s + 2]!;
    to[t + 3] = from[s + 3]!;
  }
  for (; s < end; s++, t++) to[t] = from[s]!;
}
