/** What is staged over WebHDFS, as Hive finds it. */
import { randomUUID } from 'node:crypto'
import { afterAll, describe, expect, inject, it } from 'vitest'
import type { OrcStructType } from '../../../orc/index.ts'
import { parseOrcType } from '../../../orc/index.ts'
import { systemClock } from '../../../runtime/clock.ts'
import { HiveSessions } from '../../../sinks/hive/hive-sessions.ts'
import { OrcFileWriter } from '../../../sinks/orc-files.ts'
import { direct, freshFolder } from './hdfs-under-faults.ts'

const sessions = new HiveSessions(inject('hive'), systemClock, 1)
afterAll(() => sessions.close())

describe('a folder of HDFS', () => {
  it.each(['plain', 'ods.t%2fü', 'a b+c=d~e;f'])(
    'is read by Hive at its location, without what is unfinished: %s',
    async name => {
      const folder = `${await freshFolder()}/${name}/7-1-0a1b2c3d`
      await direct.makeDirectory(folder)
      const type = parseOrcType('struct<id:int,v:string>') as OrcStructType
      const file = await OrcFileWriter.create(direct, `${folder}/changes.orc`, type)
      for (const row of [
        [1, 'a'],
        [2, 'ü'],
      ]) {
        file.writeRow(row)
      }
      await file.close()
      const unfinished = await direct.create(`${folder}/_writing-0a1b2c3d`)
      await unfinished.write(Buffer.from('ORC and no more'))
      await unfinished.close()
      const table = `default.at_location_${randomUUID().replaceAll('-', '')}`
      const location = direct.locationOf(folder)
      const rows = await sessions.use(async session => {
        const columns = '(id int, v string) STORED AS ORC'
        await session.execute(`CREATE EXTERNAL TABLE ${table} ${columns} LOCATION '${location}'`)
        try {
          return (await session.query(`SELECT id, v FROM ${table}`)).rows
        } finally {
          await session.execute(`DROP TABLE ${table}`)
        }
      })
      expect([...rows].sort((a, b) => Number(a[0]) - Number(b[0]))).toEqual([
        [1, 'a'],
        [2, 'ü'],
      ])
    },
  )
})
