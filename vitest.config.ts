// Shared by every package: run as `vitest run --root . --config ../../vitest.config.ts`.
export default {
  test: {
    include: ['src/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
};
