/**
 * The image as its Dockerfile makes it, without a container engine: its steps run in an empty folder, its entry
 * point works over a real broker, and its health check is asked.
 */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { afterAll, expect, inject, it } from 'vitest'
import { buildImage, type Image } from './dockerfile.ts'
import {
  newFolder,
  newName,
  openKafka,
  produce,
  until,
  untilApplied,
  writeConfig,
} from './instances.ts'
import { makeShop, makeTopics, shopConfig } from './shop.ts'

const run = promisify(execFile)
const log = openKafka(inject('broker'))
afterAll(() => log.close())

const project = join(import.meta.dirname, '../..')
const port = 29_465

/** Nothing of this process but where programs are. */
function envOf({ env }: Image): NodeJS.ProcessEnv {
  return { ...env, FORAGER_HEALTH_URL: `http://127.0.0.1:${port}/health/live` }
}

async function isHealthy(image: Image): Promise<boolean> {
  const [command = '', ...args] = image.healthcheck
  try {
    await run(command, args, { env: envOf(image), timeout: 5000 })
    return true
  } catch {
    return false
  }
}

/** Every file of the image but those of its volumes, with its size and time. */
async function filesOf({ root, volumes }: Image): Promise<readonly string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  const files = entries.filter(entry => entry.isFile()).map(one => join(one.parentPath, one.name))
  const own = files.filter(path => !volumes.some(volume => path.startsWith(join(root, volume))))
  const lines = own.map(async path => {
    const { size, mtimeMs } = await stat(path)
    return `${relative(root, path)} ${size} ${mtimeMs}`
  })
  return (await Promise.all(lines)).sort()
}

it('works, is healthy while it runs, writes to its volume alone, and ends by its signal', async () => {
  const folder = newFolder()
  try {
    const image = await buildImage(project, join(folder.path, 'image'))
    expect(existsSync(join(image.root, 'app/node_modules/rxjs'))).toBe(true)
    for (const tool of ['typescript', 'vitest', 'node']) {
      expect(existsSync(join(image.root, 'app/node_modules', tool)), tool).toBe(false)
    }
    const [volume = ''] = image.volumes
    const state = join(image.root, volume)
    const shop = makeShop({ seed: 31, partitions: 3, events: 2000, maxId: 200 })
    await makeTopics(log, shop)
    const applicationId = newName('image')
    const config = writeConfig(folder.path, {
      ...shopConfig('', inject('broker'), shop),
      applicationId,
      warehouse: { type: 'embedded', path: join(state, 'warehouse') },
      state: { path: join(state, 'state') },
      http: { port },
    })
    const before = await filesOf(image)
    expect(before.length).toBeGreaterThan(500)
    expect(await isHealthy(image)).toBe(false)

    const [entry = '', ...args] = image.entrypoint
    const child = spawn(entry, [...args, 'run', config, '--quiet'], {
      cwd: join(image.root, 'app'),
      env: envOf(image),
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const said = text(child.stderr)
    const ended = once(child, 'exit') as Promise<[number | null]>
    try {
      await until('the image is healthy', () => isHealthy(image), 60_000)
      await produce(log, shop.records)
      await untilApplied(log, applicationId, shop.partitions, { deadlineMs: 120_000 })
      expect((await fetch(`http://127.0.0.1:${port}/health/ready`)).status).toBe(200)
      expect((await readdir(join(state, 'warehouse'))).length).toBeGreaterThan(1)
      expect(await isHealthy(image)).toBe(true)
    } finally {
      child.kill(image.stopSignal as NodeJS.Signals)
    }
    expect([(await ended)[0], await said]).toEqual([0, 'Stopped. Run it again to go on.\n'])
    expect(await isHealthy(image)).toBe(false)
    expect(await filesOf(image)).toEqual(before)
  } finally {
    folder.remove()
  }
})
