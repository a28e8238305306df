import { describe, expect, it } from 'vitest';
import type { Source } from './source.js';
import { cudaRequirements } from './supply.js';

const metadata = `Name: tensorflow
Version: 2.21.0
Requires-Dist: numpy>=1.26.0
Requires-Dist: nvidia-cublas-cu12<13.0,>=12.5.3.2; extra == "and-cuda"
Requires-Dist: nvidia-nccl-cu12 (==2.19.3) ; extra == 'and-cuda'
Requires-Dist: tensorflow-io-gcs-filesystem>=0.23.1; (sys_platform != "win32") and extra == "gcs-filesystem"
`;

function source(text: string, paths: string[] = []): Source {
  return { metadata: text, files: paths.map((path) => ({ path, bytes: 1 })) } as Source;
}

describe('cudaRequirements', () => {
  it("are the wheels of the and-cuda extra, in pip's own words", () => {
    expect(cudaRequirements(source(metadata))).toEqual([
      'nvidia-cublas-cu12<13.0,>=12.5.3.2',
      'nvidia-nccl-cu12 (==2.19.3)',
    ]);
  });

  it('are none for a TensorFlow without CUDA, or with it installed beside', () => {
    expect(cudaRequirements(source(metadata.replace('tensorflow', 'tensorflow_cpu')))).toEqual([]);
    expect(cudaRequirements(source(metadata, ['nvidia/cublas/lib/libcublas.so.12']))).toEqual([]);
    expect(cudaRequirements(source(''))).toEqual([]);
  });
});
