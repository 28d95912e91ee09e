import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/interop/**', 'test/simulation/**', 'test/stack/**', 'test/long/**'],
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'simulation',
          include: ['test/simulation/**/*.test.ts'],
          testTimeout: 600_000,
        },
      },
      { test: { name: 'interop', include: ['test/interop/**/*.test.ts'], testTimeout: 600_000 } },
      {
        test: {
          name: 'stack',
          include: ['test/stack/**/*.test.ts'],
          globalSetup: ['test/stack/setup.ts'],
          testTimeout: 600_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'long',
          include: ['test/long/**/*.test.ts'],
          exclude: ['test/long/stack/**'],
          testTimeout: 7_200_000,
        },
      },
      {
        test: {
          name: 'long-stack',
          include: ['test/long/stack/**/*.test.ts'],
          globalSetup: ['test/stack/setup.ts'],
          testTimeout: 7_200_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
