/**
 * Servers that refuse, and say in their refusal all that they were told: what a client sends of its secrets comes
 * back in messages, which end in errors and logs.
 */
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import type { AddressInfo, Server, Socket } from 'node:net'
import { createServer } from 'node:net'

export interface EchoServer {
  readonly port: number
  /** All that it was told, in each form that a secret may have in it. */
  readonly heard: () => string
  readonly close: () => Promise<void>
}

async function listening(server: Server, heard: () => string): Promise<EchoServer> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    heard,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Of Connect's, a registry's and HDFS's kind: 401, with the request in the body, its authorization read. */
export async function httpEcho(status: number): Promise<EchoServer> {
  const heard: string[] = []
  const server = createHttpServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const given = request.headers.authorization ?? ''
      const read = Buffer.from(given.replace(/^Basic /, ''), 'base64').toString()
      const message = `refused ${decodeURIComponent(request.url ?? '')} ${given} ${read}`
      const whole = `${message} ${Buffer.concat(parts).toString()}`
      heard.push(whole)
      const RemoteException = { exception: 'SecurityException', message: whole }
      const body = JSON.stringify({ message: whole, RemoteException })
      response.writeHead(status, { 'content-type': 'application/json' }).end(body)
    })
  })
  return await listening(server, () => heard.join('\n'))
}

/** PostgreSQL: asks for the password in clear text, and quotes it in its refusal. */
export async function postgresEcho(): Promise<EchoServer> {
  const heard: string[] = []
  const server = createServer(socket => {
    let isStarted = false
    socket.on('data', (bytes: Buffer) => {
      heard.push(bytes.toString('latin1'))
      if (!isStarted) {
        isStarted = true
        socket.write(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]))
        return
      }
      const password = bytes.toString('utf8', 5, bytes.length - 1)
      const fields = `SFATAL\0C28P01\0Mpassword "${password}" is wrong\0\0`
      const head = Buffer.alloc(5, 'E')
      head.writeInt32BE(4 + Buffer.byteLength(fields), 1)
      socket.end(Buffer.concat([head, Buffer.from(fields)]))
    })
  })
  return await listening(server, () => heard.join('\n'))
}

/** HiveServer2 with SASL: the negotiation fails, with what was sent as the reason. */
export async function saslEcho(): Promise<EchoServer> {
  const heard: string[] = []
  const bad = 3
  const server = createServer(socket => {
    let all = Buffer.alloc(0)
    socket.on('data', (bytes: Buffer) => {
      all = Buffer.concat([all, bytes])
      heard.push(bytes.toString('latin1'))
      if (!all.includes('\0', all.length - 1) && all.length < 20) return
      const reason = Buffer.from(`refused: ${all.toString('utf8').replaceAll('\0', ' ')}`)
      const head = Buffer.alloc(5)
      head[0] = bad
      head.writeInt32BE(reason.length, 1)
      socket.end(Buffer.concat([head, reason]))
    })
  })
  return await listening(server, () => heard.join('\n'))
}

/** One that accepts, and gives back what it is told. */
export async function plainEcho(): Promise<EchoServer> {
  const heard: string[] = []
  const server = createServer(socket => {
    socket.on('data', (bytes: Buffer) => {
      heard.push(bytes.toString('latin1'))
      socket.end(bytes)
    })
  })
  return await listening(server, () => heard.join('\n'))
}
