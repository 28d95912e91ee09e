import { describe, expect, it } from 'vitest'
import { credentials } from '../../../sinks/hive/driver-connection.ts'
import {
  defaultHiveLimits,
  hiveAddress,
  hiveLimits,
  sessionConfiguration,
} from '../../../sinks/hive/hive-options.ts'
import { tlsSettings } from '../../../sinks/hive/socket-transport.ts'

const at = { host: 'hive.example.com', port: 10_000 }

describe('options of a connection to Hive', () => {
  it('name the place in messages, and nobody’s password', () => {
    const auth = { type: 'ldap', username: 'u', password: 'secret' } as const
    expect(hiveAddress({ ...at, auth })).toBe('hive.example.com:10000')
    expect(hiveAddress({ ...at, host: '::1' })).toBe('[::1]:10000')
    const transport = { type: 'http', path: 'cliservice' } as const
    expect(hiveAddress({ ...at, transport })).toBe('hive.example.com:10000/cliservice')
  })

  it('give each session its settings and database', () => {
    const sessionSettings = { 'hive.merge.cardinality.check': 'false', 'tez.queue.name': 'etl' }
    expect(sessionConfiguration({ ...at, sessionSettings, database: 'dw' })).toEqual({
      'set:hiveconf:hive.merge.cardinality.check': 'false',
      'set:hiveconf:tez.queue.name': 'etl',
      'use:database': 'dw',
    })
    expect(sessionConfiguration(at)).toEqual({})
  })

  it.each(['system:user.home', 'x', 'hive.a b', 'env:PATH', 'hive.'])(
    'refuse %s as the name of a setting',
    name => {
      expect(() => sessionConfiguration({ ...at, sessionSettings: { [name]: '1' } })).toThrow(
        expect.objectContaining({ code: 'config-invalid' }),
      )
    },
  )

  it('keep the limits that are not given', () => {
    expect(hiveLimits({ ...at, limits: { statementTimeoutMs: 1 } })).toEqual({
      ...defaultHiveLimits,
      statementTimeoutMs: 1,
    })
  })

  it('check certificates unless told otherwise, by the name of the host', () => {
    expect(tlsSettings({ ...at, tls: { ca: 'PEM' } })).toEqual({
      ca: 'PEM',
      rejectUnauthorized: true,
      servername: 'hive.example.com',
    })
    expect(tlsSettings({ ...at, host: '127.0.0.1', tls: {} })).toEqual({ rejectUnauthorized: true })
    const given = { serverName: 'hive', rejectUnauthorized: false }
    expect(tlsSettings({ ...at, tls: given })).toEqual({
      rejectUnauthorized: false,
      servername: 'hive',
    })
  })

  it('ask with a user name also where nobody checks it', () => {
    expect(credentials({ type: 'none' })).toEqual({ username: 'forager', password: 'none' })
    expect(credentials({ type: 'none', username: 'etl' }).username).toBe('etl')
    expect(credentials({ type: 'plain', username: 'etl', password: 'p' })).toEqual({
      username: 'etl',
      password: 'p',
    })
  })
})
