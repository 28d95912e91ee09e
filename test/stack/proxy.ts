/** A proxy before the broker that a test can cut: connections end, or nothing passes any more. */
import { connect, createServer, type Server, type Socket } from 'node:net'

export class BrokerProxy {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #isSilent = false

  private constructor(targetPort: number) {
    this.#server = createServer(client => {
      const broker = connect({ host: '127.0.0.1', port: targetPort })
      this.#join(client, broker)
      this.#join(broker, client)
    })
  }

  static async open(ports: {
    readonly proxy: number
    readonly target: number
  }): Promise<BrokerProxy> {
    const proxy = new BrokerProxy(ports.target)
    await new Promise<void>(resolve => proxy.#server.listen(ports.proxy, '127.0.0.1', resolve))
    return proxy
  }

  /** Connections stay, and nothing passes: what a broken network looks like. */
  silence(): void {
    this.#isSilent = true
  }

  /** What was held back is lost: the connections end, new ones pass. */
  restore(): void {
    this.#isSilent = false
    for (const socket of this.#sockets) socket.destroy()
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise(resolve => this.#server.close(resolve))
  }

  #join(from: Socket, to: Socket): void {
    this.#sockets.add(from)
    from.on('data', chunk => {
      if (!this.#isSilent) to.write(chunk)
    })
    from.on('error', () => undefined)
    from.on('close', () => {
      this.#sockets.delete(from)
      to.destroy()
    })
  }
}
