import { defineConfig } from 'vitest/config'

/** Deadlines catch what hangs, and nothing else: machines of tests do other work as well. */
const patient = { hookTimeout: 300_000, expect: { poll: { timeout: 120_000 } } }

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['interop', 'simulation', 'stack', 'rdkafka', 'long'].map(
            name => `test/${name}/**`,
          ),
          testTimeout: 300_000,
          ...patient,
        },
      },
      {
        test: {
          name: 'simulation',
          include: ['test/simulation/**/*.test.ts'],
          testTimeout: 600_000,
          ...patient,
        },
      },
      {
        test: {
          name: 'interop',
          include: ['test/interop/**/*.test.ts'],
          globalSetup: ['test/interop/setup.ts'],
          testTimeout: 600_000,
          ...patient,
        },
      },
      {
        test: {
          name: 'stack',
          include: ['test/stack/**/*.test.ts'],
          exclude: ['test/stack/hive/**'],
          globalSetup: ['test/stack/setup.ts'],
          testTimeout: 600_000,
          ...patient,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'hive',
          include: ['test/stack/hive/**/*.test.ts'],
          globalSetup: ['test/stack/hive/setup.ts'],
          testTimeout: 600_000,
          ...patient,
          fileParallelism: false,
        },
      },
      {
        // Apart: its client is compiled, and is not a part of `npm ci`.
        test: {
          name: 'rdkafka',
          include: ['test/rdkafka/**/*.test.ts'],
          globalSetup: ['test/stack/setup.ts'],
          testTimeout: 600_000,
          ...patient,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'long',
          include: ['test/long/**/*.test.ts'],
          exclude: ['test/long/stack/**', 'test/long/hive/**'],
          testTimeout: 7_200_000,
          ...patient,
        },
      },
      {
        test: {
          name: 'long-hive',
          include: ['test/long/hive/**/*.test.ts'],
          globalSetup: ['test/stack/hive/setup.ts'],
          testTimeout: 7_200_000,
          ...patient,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'long-stack',
          include: ['test/long/stack/**/*.test.ts'],
          globalSetup: ['test/stack/setup.ts'],
          testTimeout: 7_200_000,
          ...patient,
          fileParallelism: false,
        },
      },
    ],
  },
})
