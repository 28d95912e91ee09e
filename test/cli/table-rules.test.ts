import { describe, expect, it } from 'vitest'
import { formatProblem, readConfig } from '../../cli/config.ts'
import { seededRandom } from '../../runtime/random.ts'
import { SimulatedFileSystem } from '../../testkit/simulated-file-system.ts'

/** Problems of a configuration with these rules, each in a line of its own from line 4 on. */
async function problemsOf(...rules: readonly string[]): Promise<string[]> {
  const files = new SimulatedFileSystem({ random: seededRandom(1) })
  await files.makeDirectory('/shop')
  const text = `applicationId: shop
source: { type: kafka, brokers: ["k:1"], topics: [t], format: debezium-json }
tables:
${rules.map(rule => `  - ${rule}`).join('\n')}
warehouse: { type: embedded, path: w }
`
  await (await files.open('/shop/f.yaml', 'write')).write(Buffer.from(text), 0)
  const { problems } = await readConfig(files, '/shop/f.yaml')
  return problems.map(problem => formatProblem('f.yaml', problem))
}

const sayMerge = 'say `merge: true` when they are parts of one table and their keys do not overlap'

describe('rules for tables', () => {
  it.each([
    [['{ from: demo.user, to: ods.user }', '{ from: demo.product, to: ods.product }']],
    [['{ from: demo.user, to: ods.u }', '{ from: "demo.*", to: "ods.{table}" }']],
    [['{ from: "*.*", to: "{database}.{table}" }']],
    [['{ from: "shop*.orders", to: dw.orders, merge: true }']],
    [['{ from: a.t, to: ods.t, merge: true }', '{ from: b.t, to: ods.t, merge: true }']],
    [['{ from: "a.*", to: "ods.{table}" }', '{ from: "b.*", to: "ods.{table}" }']],
    [['{ from: "sh*.user", to: "{schema}.u" }', '{ from: "demo.*", to: "ods_{table}" }']],
  ])('%j are right', async rules => {
    expect(await problemsOf(...rules)).toEqual([])
  })

  it.each([
    [
      ['{ from: demo.user, to: ods.t }', '{ from: demo.product, to: ods.t }'],
      [
        'f.yaml:5: tables[1].to: demo.user (tables[0]) goes to ods.t as well; give each its own, or in ' +
          `both ${sayMerge}`,
      ],
    ],
    [
      ['{ from: demo.user, to: ods.user }', '{ from: crm.user, to: "ods.{table}", merge: true }'],
      [
        'f.yaml:5: tables[1].to: demo.user (tables[0]) goes to ods.user as well; give each its own, or ' +
          `in both ${sayMerge}`,
      ],
    ],
    [
      ['{ from: "demo.*", to: "{database}.all" }'],
      [
        `f.yaml:4: tables[0].to: many tables of demo.* would go to one; use {table}, or ${sayMerge}`,
      ],
    ],
    [
      ['{ from: "*.user", to: "ods.{table}" }'],
      [
        `f.yaml:4: tables[0].to: many tables of *.user would go to one; use {database}, or ${sayMerge}`,
      ],
    ],
    [
      ['{ from: "*.*", to: all }'],
      [
        'f.yaml:4: tables[0].to: many tables of *.* would go to one; use {database} and {table}, or ' +
          sayMerge,
      ],
    ],
    [
      ['{ from: demo.user, to: ods.a }', '{ from: demo.user, to: ods.b }'],
      ['f.yaml:5: tables[1].from: tables[0] takes all of demo.user before'],
    ],
    [
      ['{ from: demo.user, to: ods }', '{ from: demo.data, to: "ods.{table}" }'],
      [
        'f.yaml:5: tables[1].to: the table ods.data would lie in the folder of the table ods (tables[0])',
      ],
    ],
    [
      ['{ from: "demo.*", to: "ods.{table}" }', '{ from: crm.user, to: ods }'],
      [
        'f.yaml:5: tables[1].to: the table ods.{table} would lie in the folder of the table ods (tables[0])',
      ],
    ],
    [
      ['{ from: demo.user, to: "ods.{tabel}" }'],
      ['f.yaml:4: tables[0].to: there is no {tabel}; did you mean {table}?'],
    ],
  ])('%j are refused', async (rules, expected) => {
    expect(await problemsOf(...rules)).toEqual(expected)
  })

  it.each([
    ['{ from: demo.user, to: ods.{table} }', 'ods.{table}'],
    ['{ from: demo.user, to: {database}.{table} }', '{database}.{table}'],
  ])('with braces and without quotes (%s) are told to quote them, once', async (rule, target) => {
    expect(await problemsOf(rule)).toEqual([
      `f.yaml:4: quote the target, because YAML reads braces as a mapping: to: "${target}"`,
    ])
  })

  it('with nothing but braces as well', async () => {
    expect(await problemsOf('{ from: "demo.*", to: {table} }')).toEqual([
      'f.yaml:4: tables[0].to: quote the target, because YAML reads braces as a mapping: to: "{table}"',
    ])
  })
})
