/** Asks servers whether they answer, each in the words of its protocol. */
import { execFile } from 'node:child_process'
import { connect } from 'node:net'
import { promisify } from 'node:util'

const run = promisify(execFile)
const timeoutMs = 3000

export function canConnect(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host: '127.0.0.1', port, timeout: timeoutMs })
    const end = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => end(true))
    socket.once('timeout', () => end(false))
    socket.once('error', () => end(false))
  })
}

/** The text of a page; null when there is none. */
export async function textAt(url: string): Promise<string | null> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) })
    const text = await response.text()
    return response.ok ? text : null
  } catch {
    return null
  }
}

/** A program that says what it found by its exit code. */
export async function succeeds(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<boolean> {
  try {
    await run(command, args, { env: { ...process.env, ...env }, timeout: timeoutMs })
    return true
  } catch {
    return false
  }
}

/** Sends bytes, and tells whether the answer begins as it should. */
export function replies(port: number, sent: readonly Buffer[], expected: Buffer): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host: '127.0.0.1', port, timeout: timeoutMs })
    let received = Buffer.alloc(0)
    const end = (): void => {
      socket.destroy()
      resolve(received.subarray(0, expected.length).equals(expected))
    }
    socket.on('data', chunk => {
      received = Buffer.concat([received, chunk])
      if (received.length >= expected.length) end()
    })
    for (const event of ['timeout', 'error', 'close'] as const) socket.once(event, end)
    socket.once('connect', () => socket.write(Buffer.concat(sent)))
  })
}
