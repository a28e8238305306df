// Shared by every package: run as `vitest run --root . --config ../../vitest.config.ts`.
const alone = 'src/**/*.alone.test.ts';

export default {
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      // Modules are shared: a package's files would each take one to two seconds of CPU to import tfjs and ours.
      {
        extends: true,
        test: { name: 'together', include: ['src/**/*.test.ts'], exclude: [alone], isolate: false },
      },
      // A file that mocks a module, or has to see what is imported first.
      { extends: true, test: { name: 'alone', include: [alone] } },
    ],
  },
};
