/** Holds a lock until it is killed: `node hold-lock.ts PATH`. Says so when it has it. */
import { nodeFileSystem } from '../../runtime/file-system.ts'

await nodeFileSystem.lock(process.argv[2]!)
process.stdout.write('held\n')
process.stdin.resume()
