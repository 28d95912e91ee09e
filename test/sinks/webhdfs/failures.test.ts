import { describe, expect, it } from 'vitest'
import type { Answer } from '../../../sinks/webhdfs/exchange.ts'
import { answerFailure, connectionFailure } from '../../../sinks/webhdfs/failures.ts'

const url = new URL('http://namenode:9870/webhdfs/v1/a?op=MKDIRS&delegation=SECRET')

function answer(status: number, body: unknown): Answer {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return { status, headers: {}, body: Buffer.from(text) }
}

function said(status: number, exception: string, message: string) {
  const javaClassName = `java.io.${exception}`
  const remote = { RemoteException: { exception, javaClassName, message } }
  return answerFailure(answer(status, remote), url, true)
}

describe('an answer that is no success', () => {
  it.each([
    ['StandbyException', 'Operation category WRITE is not supported in state standby', 'passing'],
    ['RetriableException', 'Namenode is in startup mode', 'passing'],
    ['SafeModeException', 'Cannot create directory /a. Name node is in safe mode.', 'passing'],
    ['IOException', 'Failed to find datanode, suggest to check cluster health.', 'passing'],
    ['IOException', 'File /a could only be written to 0 of the 1 minReplication nodes.', 'passing'],
    ['FileNotFoundException', 'File does not exist: /a', 'missing'],
    ['FileAlreadyExistsException', 'rename destination /a already exists', 'exists'],
    ['AccessControlException', 'Permission denied: user=forager, access=WRITE', 'refused'],
    ['DSQuotaExceededException', 'The DiskSpace quota of /a is exceeded', 'refused'],
    ['InvalidToken', 'token (HDFS_DELEGATION_TOKEN token 1) is expired', 'refused'],
    ['IOException', 'something else', 'refused'],
  ])('is told by its exception: %s, %s', (exception, message, kind) => {
    expect(said(403, exception, message)).toMatchObject({
      kind,
      message: `http://namenode:9870 said ${exception}: ${message}`,
    })
  })

  it('shows the first line of a message, without Java’s stack', () => {
    const { message } = said(404, 'FileNotFoundException', 'Parent directory\n\tat org.apache')
    expect(message).toBe('http://namenode:9870 said FileNotFoundException: Parent directory')
  })

  it.each([
    [500, 'passing'],
    [503, 'passing'],
    [429, 'passing'],
    [404, 'refused'],
    [401, 'refused'],
    [200, 'refused'],
  ])('with %d and without an exception is %s, and never a missing file', (status, kind) => {
    expect(answerFailure(answer(status, '<html>'), url, true).kind).toBe(kind)
    expect(answerFailure(answer(status, { other: 1 }), url, true).kind).toBe(kind)
  })

  it('of a server of the NameNode’s own is the NameNode’s, also when a DataNode passes it on', () => {
    const remote = { RemoteException: { exception: 'StandbyException', message: '' } }
    expect(answerFailure(answer(403, remote), url, false).isOfNameNode).toBe(true)
    expect(answerFailure(answer(500, ''), url, false).isOfNameNode).toBe(false)
  })
})

describe('a connection that broke', () => {
  it.each(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EPIPE', 'ETIMEDOUT'])(
    'by %s may work the next time',
    code => {
      const error = Object.assign(new Error(code), { code })
      expect(connectionFailure(error, url, true).kind).toBe('passing')
    },
  )

  it.each(['SELF_SIGNED_CERT_IN_CHAIN', 'CERT_HAS_EXPIRED', 'ERR_TLS_CERT_ALTNAME_INVALID'])(
    'by %s will not',
    code => {
      const error = Object.assign(new Error(code), { code })
      expect(connectionFailure(error, url, true)).toMatchObject({ kind: 'refused', cause: error })
    },
  )

  it('says which server, and nothing that is secret', () => {
    const { message } = connectionFailure(new Error('socket hang up'), url, true)
    expect(message).toBe('http://namenode:9870 cannot be used: socket hang up')
  })
})
