/** Examples in a file. */
export const batchSize = 10_000;

/** Pixels in a plane: 32 × 32. */
export const imagePixels = 1024;

/** A record: the label, then 1024 bytes of red, of green and of blue, row by row. */
export const recordBytes = 1 + 3 * imagePixels;

/** The files of the binary version with their sha256, taken from files whose published SHA-1 we compared. */
export const cifarFiles = {
  'data_batch_1.bin': 'cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5',
  'data_batch_2.bin': 'a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed',
  'data_batch_3.bin': 'bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67',
  'data_batch_4.bin': '014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48',
  'data_batch_5.bin': '755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add',
  'test_batch.bin': '8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b',
} as const;

export type CifarFile = keyof typeof cifarFiles;

export const trainFiles: readonly CifarFile[] = [1, 2, 3, 4, 5].map(
  (n) => `data_batch_${n}.bin` as CifarFile,
);
export const testFiles: readonly CifarFile[] = ['test_batch.bin'];

/** The classes' names by number, from `batches.meta.txt`. */
export const classes: readonly string[] = [
  ...['airplane', 'automobile', 'bird', 'cat', 'deer'],
  ...['dog', 'frog', 'horse', 'ship', 'truck'],
];
