/**
 * Certificates for trials, by openssl: an authority, what it signed for a broker at 127.0.0.1 and for a
 * client, and an authority that signed nothing.
 */
import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export async function makeCertificates(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  const openssl = (...args: string[]): Promise<unknown> => run('openssl', args, { cwd: folder })
  for (const name of ['ca', 'other-ca']) {
    const subject = ['-subj', `/CN=${name}`, '-days', '3650']
    const files = ['-keyout', `${name}.key`, '-out', `${name}.pem`]
    await openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...subject, ...files)
  }
  for (const name of ['broker', 'client']) {
    const key = ['-newkey', 'rsa:2048', '-nodes', '-keyout', `${name}.key`]
    await openssl('req', ...key, '-subj', `/CN=${name}`, '-out', `${name}.csr`)
    await writeFile(join(folder, `${name}.ext`), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n')
    const signed = ['-in', `${name}.csr`, '-out', `${name}.crt`, '-extfile', `${name}.ext`]
    const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '3650']
    await openssl('x509', '-req', ...signed, ...by)
  }
  // Kafka wants key and certificate in one file.
  const parts = await Promise.all(
    ['broker.key', 'broker.crt'].map(name => readFile(join(folder, name), 'utf8')),
  )
  await writeFile(join(folder, 'broker.pem'), parts.join(''))
}
