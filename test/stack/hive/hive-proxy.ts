/** A proxy before HiveServer2, whose connections a test can cut, silence, or have HiveServer2 forget. */
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

interface Address {
  readonly host: string
  readonly port: number
}

export class HiveProxy {
  readonly #server: Server
  readonly #connections = new Set<Connection>()

  private constructor(target: Address) {
    this.#server = createServer(client => {
      const connection = new Connection(client, target)
      this.#connections.add(connection)
      client.on('close', () => this.#connections.delete(connection))
    })
  }

  static async open(target: Address): Promise<HiveProxy> {
    const proxy = new HiveProxy(target)
    await new Promise<void>(done => proxy.#server.listen(0, '127.0.0.1', done))
    return proxy
  }

  get address(): Address {
    return { host: '127.0.0.1', port: (this.#server.address() as { port: number }).port }
  }

  /** Both sides see the end of each connection. */
  cut(): void {
    for (const connection of this.#connections) connection.cut()
  }

  /** Connections stay, and nothing passes any more: what a broken network looks like. */
  silence(): void {
    for (const connection of this.#connections) connection.silence()
  }

  /**
   * HiveServer2 sees the end of each connection, and so of its sessions; the client sees nothing, and
   * is connected to HiveServer2 anew. What a balancer before a HiveServer2 that was restarted does.
   */
  async forget(): Promise<void> {
    await Promise.all([...this.#connections].map(connection => connection.forget()))
  }

  async close(): Promise<void> {
    this.cut()
    await new Promise(done => this.#server.close(done))
  }
}

class Connection {
  readonly #client: Socket
  readonly #target: Address
  /** What the client said before the server's first word: its authentication. */
  readonly #greeting: Buffer[] = []
  #server: Socket
  #isGreeted = false
  #isSilent = false

  constructor(client: Socket, target: Address) {
    this.#client = client
    this.#target = target
    this.#server = this.#connect()
    client.on('error', () => undefined)
    client.on('close', () => this.#server.destroy())
    client.on('data', chunk => {
      if (!this.#isGreeted) this.#greeting.push(chunk)
      if (!this.#isSilent) this.#server.write(chunk)
    })
    this.#pass()
  }

  cut(): void {
    this.#client.destroy()
    this.#server.destroy()
  }

  silence(): void {
    this.#isSilent = true
  }

  async forget(): Promise<void> {
    const before = this.#server
    before.removeAllListeners('close')
    // HiveServer2 closes its side when it has closed the sessions.
    before.end()
    await once(before, 'close')
    const server = this.#connect()
    server.write(Buffer.concat(this.#greeting))
    // Its welcome: the client has had it.
    await once(server, 'data')
    this.#server = server
    this.#pass()
  }

  #connect(): Socket {
    return connect(this.#target).on('error', () => undefined)
  }

  #pass(): void {
    this.#server.on('close', () => this.#client.destroy())
    this.#server.on('data', chunk => {
      this.#isGreeted = true
      if (!this.#isSilent) this.#client.write(chunk)
    })
  }
}
