/** The part `connectors` of a configuration, and what `forager connectors apply` says before it asks anybody. */
import { describe, expect, it } from 'vitest'
import { readConfig } from '../../cli/config.ts'
import { insertConnectorSecrets } from '../../cli/config-secrets.ts'
import { nodeFileSystem } from '../../runtime/file-system.ts'
import type { Program } from './program.ts'
import { inFolder } from './program.ts'

function configWith(connectors: string): string {
  return `applicationId: shop
source: { type: kafka, brokers: ["kafka:9092"], topics: ["shop.*"], format: debezium-json }
tables:
  - { from: "demo.*", to: "ods.{table}" }
warehouse: { type: embedded, path: ./warehouse }
${connectors}`
}

const right = `connectors:
  url: http://127.0.0.1:1
  configs:
    shop:
      connector.class: io.debezium.connector.mariadb.MariaDbConnector
      topic.prefix: shop
      tasks.max: 1
      include.query: true
      database.password: \${env:NOBODY_HAS_THIS}
`

async function problemsOf(program: Program, text: string): Promise<readonly string[]> {
  await program.write('forager.yaml', text)
  const { problems } = await readConfig(nodeFileSystem, program.path('forager.yaml'), {})
  return problems.map(({ line, message }) => `${line}: ${message}`)
}

describe('connectors of a configuration', () => {
  it('are texts, whatever YAML takes them for; a run needs none of their secrets', async () => {
    await inFolder(async program => {
      await program.write('forager.yaml', configWith(right))
      const path = program.path('forager.yaml')
      const { loaded, problems } = await readConfig(nodeFileSystem, path, {})
      expect(problems).toEqual([])
      expect(loaded?.config.connectors?.configs.shop).toEqual({
        'connector.class': 'io.debezium.connector.mariadb.MariaDbConnector',
        'topic.prefix': 'shop',
        'tasks.max': '1',
        'include.query': 'true',
        'database.password': '${env:NOBODY_HAS_THIS}',
      })
    })
  })

  it('are refused with their line when they cannot be', async () => {
    await inFolder(async program => {
      expect(await problemsOf(program, configWith(right.replace('url', 'uri')))).toEqual([
        '6: connectors.url is missing',
        '7: unknown key connectors.uri; did you mean "url"?',
      ])
      expect(
        await problemsOf(program, configWith(right.replace('tasks.max: 1', 'tasks.max: [1]'))),
      ).toEqual(['12: connectors.configs.shop.tasks.max must be text, a number, true or false'])
      expect(
        await problemsOf(program, configWith(right.replace('connector.class', 'connector.clas'))),
      ).toEqual(['9: connectors.configs.shop has no `connector.class`'])
      const ofFile = configWith(right).replace(
        '{ type: kafka, brokers: ["kafka:9092"], topics: ["shop.*"],',
        '{ type: file, path: forager.yaml,',
      )
      expect(await problemsOf(program, ofFile)).toEqual([
        '6: connectors: a file has none; they are for `source.type: kafka`',
      ])
    })
  })

  it('have Forager’s secrets put in, and keep what stands for Connect’s own', async () => {
    await inFolder(async program => {
      await program.write('password', 'from a file\n')
      const settings = {
        both: 'a ${env:ONE} b ${file:password}',
        own: '$${file:/etc/secrets:password}',
        other: '${vault:database:password}',
        missing: '${env:TWO}',
        plain: 'cost: $5 {x}',
      }
      const context = { env: { ONE: '1' }, fileSystem: nodeFileSystem, folder: program.folder }
      const found = await insertConnectorSecrets(
        { password: '${env:ONE}', configs: { c: settings } },
        context,
      )
      expect(found).toEqual({
        password: '1',
        configs: {
          c: {
            both: 'a 1 b from a file',
            own: '${file:/etc/secrets:password}',
            other: '${vault:database:password}',
            missing: '',
            plain: 'cost: $5 {x}',
          },
        },
        secrets: ['1', 'from a file', '1'],
        problems: [
          { line: 0, message: 'connectors.configs.c.missing: the environment has no variable TWO' },
        ],
      })
    })
  })
})

describe('forager connectors apply', () => {
  it('ends with 2 for a configuration without connectors, or whose secrets are missing', async () => {
    await inFolder(async program => {
      await program.write('forager.yaml', configWith(''))
      const none = await program.run(['connectors', 'apply', 'forager.yaml'])
      expect(none.stderr).toMatch(/forager.yaml: connectors is missing: say which/)
      expect([none.code, none.stdout]).toEqual([2, ''])
      await program.write('forager.yaml', configWith(right))
      const secret = await program.run(['connectors', 'apply', 'forager.yaml'])
      expect(secret.stderr).toContain(
        'connectors.configs.shop.database.password: the environment has no variable NOBODY_HAS_THIS',
      )
      expect([secret.code, secret.stdout]).toEqual([2, ''])
    })
  })

  it('says that its topics are none of the source, and ends with 1 where nobody answers', async () => {
    await inFolder(async program => {
      const elsewhere = right.replace('prefix: shop', 'prefix: store')
      await program.write('forager.yaml', configWith(elsewhere))
      const { code, stdout, stderr } = await program.run(['connectors', 'apply', 'forager.yaml'], {
        env: { NOBODY_HAS_THIS: 'x' },
      })
      expect(stdout).toMatch(/^warn {2}connector shop: its topics begin with "store\."/m)
      expect(stderr).toMatch(
        /^error: Kafka Connect at \S+ does not answer: .* \[connect-unreachable\]/,
      )
      expect(code).toBe(1)
    })
  })
})
