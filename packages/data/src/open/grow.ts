import { DataError } from '../data-error.js';
import type { Numbers, NumbersType } from '../dataset/dataset.js';
import { numbersOf } from '../dataset/numbers.js';
import { type Scratch, scratchReader, scratchWriter } from './hold/scratch.js';

/** Numbers whose count is not known before they have all come: in memory up to a limit, past it in a file. */
export interface Growing {
  readonly length: number;
  append(numbers: ArrayLike<number>): void;
  /** All of them in order, some at a time, in multiples of `unit`. */
  pieces(unit: number): AsyncIterable<Numbers>;
}

const CHUNK = 1 << 18;

/** Endless data would fill the disk. */
const MOST = 2 ** 36;

/** @param limit bytes in memory @param scratch where more goes */
export function growing(type: NumbersType, limit: number, scratch: Scratch, where: string): Growing {
  const full: Numbers[] = [];
  let chunk = numbersOf(type, CHUNK);
  let used = 0;
  let length = 0;
  let file: ReturnType<typeof scratchWriter> | undefined;
  const next = () => {
    if (file) file.write(chunk);
    else {
      full.push(chunk);
      if (full.length * CHUNK * chunk.BYTES_PER_ELEMENT > limit) {
        file = scratchWriter(scratch);
        for (const each of full.splice(0)) file.write(each);
      }
      chunk = numbersOf(type, CHUNK);
    }
    used = 0;
  };
  return {
    get length() {
      return length;
    },
    append(numbers) {
      for (let i = 0; i < numbers.length; i++) {
        chunk[used++] = numbers[i]!;
        if (used === CHUNK) next();
      }
      length += numbers.length;
      if (length > MOST)
        throw new DataError(
          `${where}: found more than ${MOST} numbers and no end; end it (a tf.data.Dataset without repeat())`,
        );
    },
    async *pieces(unit) {
      let rest: Numbers = numbersOf(type, 0);
      const whole = function* (numbers: Numbers) {
        const joined = numbersOf(type, rest.length + numbers.length);
        joined.set(rest);
        joined.set(numbers, rest.length);
        const end = joined.length - (joined.length % unit);
        rest = joined.subarray(end);
        if (end > 0) yield joined.subarray(0, end);
      };
      if (file)
        for (const bytes of scratchReader(scratch, CHUNK * chunk.BYTES_PER_ELEMENT, file.name))
          yield* whole(new (chunk.constructor as new (buffer: ArrayBufferLike) => Numbers)(bytes.buffer));
      for (const each of full) yield* whole(each);
      yield* whole(chunk.subarray(0, used));
    },
  };
}
