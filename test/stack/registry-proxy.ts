/** A proxy before the registry that a test can cut: it speaks TLS, and wants a name and a password. */
import { readFileSync } from 'node:fs'
import { request as requestOf } from 'node:http'
import { createServer, type Server } from 'node:https'
import { join } from 'node:path'
import { makeCertificates } from '../../scripts/stack/certificates.ts'

export const credentials = { username: 'forager', password: 'pässword' }

export class RegistryProxy {
  readonly #server: Server
  #port = 0

  private constructor(folder: string, target: string) {
    const own = { key: read(folder, 'broker.key'), cert: read(folder, 'broker.crt') }
    const { username, password } = credentials
    const wanted = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
    this.#server = createServer(own, ({ url = '', headers }, response) => {
      if (headers.authorization !== wanted) return void response.writeHead(401).end()
      const onward = requestOf(`${target}${url}`, answer => {
        response.writeHead(answer.statusCode ?? 500, answer.headers)
        answer.pipe(response)
      })
      onward.on('error', () => response.destroy())
      onward.end()
    })
  }

  /** Makes certificates in the folder: `ca.pem` is who vouches for it. `target` has no path. */
  static async open(folder: string, target: string): Promise<RegistryProxy> {
    await makeCertificates(folder)
    const proxy = new RegistryProxy(folder, target)
    await proxy.open()
    return proxy
  }

  get address(): string {
    return `https://127.0.0.1:${this.#port}`
  }

  /** Where it was before, if it was open before. */
  async open(): Promise<void> {
    await new Promise<void>(done => this.#server.listen(this.#port, '127.0.0.1', done))
    this.#port = (this.#server.address() as { port: number }).port
  }

  async close(): Promise<void> {
    const closed = new Promise(done => this.#server.close(done))
    this.#server.closeAllConnections()
    await closed
  }
}

function read(folder: string, name: string): string {
  return readFileSync(join(folder, name), 'utf8')
}
