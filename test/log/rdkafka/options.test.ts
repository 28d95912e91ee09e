import { describe, expect, it } from 'vitest'
import { securityOptions } from '../../../log/rdkafka/options.ts'

describe('settings of TLS and SASL in librdkafka’s names', () => {
  it('are plain text when nothing is configured', () => {
    expect(securityOptions({})).toEqual({ 'security.protocol': 'plaintext' })
  })

  it('are TLS with the system’s certificates when none is given', () => {
    expect(securityOptions({ tls: {} })).toEqual({ 'security.protocol': 'ssl' })
  })

  it('have every part of a client’s certificate', () => {
    const tls = { ca: 'CA', cert: 'CERT', key: 'KEY', passphrase: 'secret' }
    expect(securityOptions({ tls })).toEqual({
      'security.protocol': 'ssl',
      'ssl.ca.pem': 'CA',
      'ssl.certificate.pem': 'CERT',
      'ssl.key.pem': 'KEY',
      'ssl.key.password': 'secret',
    })
  })

  it('have name and password, with TLS and without', () => {
    const sasl = { mechanism: 'SCRAM-SHA-512', username: 'me', password: 'secret' } as const
    const named = {
      'sasl.mechanism': 'SCRAM-SHA-512',
      'sasl.username': 'me',
      'sasl.password': 'secret',
    }
    expect(securityOptions({ sasl })).toEqual({ 'security.protocol': 'sasl_plaintext', ...named })
    expect(securityOptions({ sasl, tls: {} })).toEqual({
      'security.protocol': 'sasl_ssl',
      ...named,
    })
  })

  it('leave a token to the consumer', () => {
    const sasl = { mechanism: 'OAUTHBEARER', token: 'secret' } as const
    expect(securityOptions({ sasl })).toEqual({
      'security.protocol': 'sasl_plaintext',
      'sasl.mechanism': 'OAUTHBEARER',
    })
  })
})
