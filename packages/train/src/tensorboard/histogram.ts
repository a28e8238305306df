import type { MessageInitShape } from '@bufbuild/protobuf';
import type { HistogramProtoSchema } from './compat/proto/histogram_pb.js';

/** What TensorBoard shows at most. */
const BUCKETS = 30;

/** TensorBoard's histogram of some values: equal buckets from the least to the largest. @returns undefined where none is finite */
export function histogramOf(
  values: ArrayLike<number>,
): MessageInitShape<typeof HistogramProtoSchema> | undefined {
  const finite = Float64Array.from(values).filter(Number.isFinite);
  if (finite.length === 0) return undefined;
  const min = finite.reduce((a, b) => Math.min(a, b));
  const max = finite.reduce((a, b) => Math.max(a, b));
  const buckets = min === max ? 1 : BUCKETS;
  const bucket = new Array<number>(buckets).fill(0);
  for (const value of finite) {
    const at = min === max ? 0 : Math.floor(((value - min) / (max - min)) * buckets);
    // the largest value belongs to the last bucket, whose upper limit it is
    bucket[Math.min(at, buckets - 1)]!++;
  }
  return {
    min,
    max,
    num: finite.length,
    sum: finite.reduce((sum, value) => sum + value, 0),
    sumSquares: finite.reduce((sum, value) => sum + value * value, 0),
    bucketLimit: bucket.map((_, i) => (i === buckets - 1 ? max : min + ((i + 1) * (max - min)) / buckets)),
    bucket,
  };
}
