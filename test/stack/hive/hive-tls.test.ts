/** TLS before HiveServer2, ended by a proxy of the test: whom the client trusts, and who it says it is. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer, type Server } from 'node:tls'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { systemClock } from '../../../runtime/clock.ts'
import { makeCertificates } from '../../../scripts/stack/certificates.ts'
import type { HiveTlsOptions } from '../../../sinks/hive/hive-options.ts'
import { HiveSession } from '../../../sinks/hive/hive-session.ts'

const hive = inject('hive')
const folder = mkdtempSync(join(tmpdir(), 'forager-hive-tls-'))
const pem = (name: string): string => readFileSync(join(folder, name), 'utf8')
const clients: (string | undefined)[] = []
let server: Server

beforeAll(async () => {
  await makeCertificates(folder)
  const own = { key: pem('broker.key'), cert: pem('broker.crt'), ca: pem('ca.pem') }
  server = createServer({ ...own, requestCert: true, rejectUnauthorized: false }, client => {
    clients.push(client.authorized ? (client.getPeerCertificate().subject.CN as string) : undefined)
    const target = connect(hive)
    client.pipe(target).pipe(client)
    client.on('error', () => target.destroy())
    target.on('error', () => client.destroy())
  })
  server.on('tlsClientError', () => undefined)
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
})

afterAll(async () => {
  await new Promise(done => server.close(done))
  rmSync(folder, { recursive: true })
})

async function selectOver(tls: HiveTlsOptions, host = '127.0.0.1'): Promise<unknown> {
  const { port } = server.address() as { port: number }
  const session = new HiveSession({ host, port, tls }, systemClock)
  try {
    return (await session.query('select 7')).rows
  } finally {
    await session.close()
  }
}

it('a statement goes over TLS when the authority of the server is trusted', async () => {
  expect(await selectOver({ ca: pem('ca.pem') })).toEqual([[7]])
  expect(await selectOver({ ca: pem('ca.pem') }, 'localhost')).toEqual([[7]])
})

it('the certificate of the client goes along', async () => {
  clients.length = 0
  const own = { ca: pem('ca.pem'), cert: pem('client.crt'), key: pem('client.key') }
  expect(await selectOver(own)).toEqual([[7]])
  expect(clients).toEqual(['client'])
})

it.each([
  ['an authority that is not trusted', {}, /certificate/],
  ['another authority', { ca: 'other-ca.pem' }, /certificate/],
  ['another name', { ca: 'ca.pem', serverName: 'hive.example.com' }, /altnames/],
])('a server of %s is not talked to', async (_, { ca, ...tls }: HiveTlsOptions, reason) => {
  const trusted = ca === undefined ? {} : { ca: pem(ca) }
  await expect(selectOver({ ...tls, ...trusted })).rejects.toMatchObject({
    code: 'warehouse-unreachable',
    message: expect.stringMatching(reason),
  })
})

it('any server is talked to when certificates are not to be checked', async () => {
  expect(await selectOver({ rejectUnauthorized: false })).toEqual([[7]])
})
