import crc32c from 'crc-32/crc32c.js';

/**
 * TensorFlow's record format around some bytes: length (uint64), its masked CRC-32C, the bytes, theirs; all little-endian
 * (tensorflow/core/lib/io/record_writer.h).
 */
export function tfRecord(bytes: Uint8Array): Buffer {
  const record = Buffer.alloc(HEADER + bytes.length + 4);
  record.writeBigUInt64LE(BigInt(bytes.length));
  record.writeUInt32LE(maskedCrc(record.subarray(0, 8)), 8);
  record.set(bytes, HEADER);
  record.writeUInt32LE(maskedCrc(bytes), HEADER + bytes.length);
  return record;
}

const HEADER = 12;

/** Rotated right by 15 bits, plus a constant: the CRC of data that hold CRCs would be a poor one (tensorflow/core/lib/hash/crc32c.h). */
function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c.buf(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
