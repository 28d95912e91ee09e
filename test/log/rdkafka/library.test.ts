import { expect, it } from 'vitest'
import { loadLibrary } from '../../../log/rdkafka/library.ts'
import { ConfigError } from '../../../model/errors.ts'

it('node-rdkafka that is not installed is the operator’s to install', () => {
  expect(() => loadLibrary()).toThrow(ConfigError)
  expect(() => loadLibrary()).toThrow(
    expect.objectContaining({
      code: 'kafka-client-missing',
      message: expect.stringContaining('it is not installed') as string,
    }),
  )
})
