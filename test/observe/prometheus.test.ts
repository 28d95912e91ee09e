import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { GaugeRegistry } from '../../observe/gauge-registry.ts'
import { HttpServer } from '../../observe/http-server.ts'
import { counters, gauges, histograms } from '../../observe/metrics.ts'
import { labelNames, PrometheusMetrics } from '../../observe/prometheus.ts'

const root = join(import.meta.dirname, '../..')
const names = [...Object.keys(counters), ...Object.keys(gauges), ...Object.keys(histograms)]

/** Names of metrics that an expression asks for. */
function metricsIn(expression: string): string[] {
  return [...expression.matchAll(/\b(forager_|process_|nodejs_)\w+/g)].map(match => match[0])
}

/** Labels that an expression selects or groups by. */
function labelsIn(expression: string): string[] {
  const grouped = [...expression.matchAll(/\b(?:by|on) \(([^)]*)\)/g)].flatMap(match =>
    match[1]!.split(',').map(label => label.trim()),
  )
  const selected = [...expression.matchAll(/(\w+)=~?"/g)].map(match => match[1]!)
  return [...grouped, ...selected]
}

async function shown(): Promise<string[]> {
  const metrics = new PrometheusMetrics('shop')
  for (const name of Object.keys(counters)) {
    const labels = Object.fromEntries(labelNames[name as 'forager_tasks'].map(one => [one, 'x']))
    metrics.count(name as keyof typeof counters, 1, labels)
  }
  for (const name of Object.keys(gauges)) {
    const labels = Object.fromEntries(labelNames[name as 'forager_tasks'].map(one => [one, 'x']))
    metrics.set(name as keyof typeof gauges, 1, labels)
  }
  for (const name of Object.keys(histograms)) {
    const labels = Object.fromEntries(labelNames[name as 'forager_tasks'].map(one => [one, 'x']))
    metrics.observe(name as keyof typeof histograms, 1, labels)
  }
  const text = await metrics.text()
  return text.split('\n').flatMap(line => /^([a-z]\w*)[ {]/.exec(line)?.[1] ?? [])
}

function expressions(): { readonly where: string; readonly expression: string }[] {
  const dashboard = JSON.parse(readFileSync(join(root, 'deploy/grafana/forager.json'), 'utf8')) as {
    panels: { title: string; targets: { expr: string }[] }[]
  }
  const alerts = parse(readFileSync(join(root, 'deploy/alerts.yml'), 'utf8')) as {
    groups: { rules: { alert: string; expr: string }[] }[]
  }
  return [
    ...dashboard.panels.flatMap(({ title, targets }) =>
      targets.map(({ expr }) => ({ where: title, expression: expr })),
    ),
    ...alerts.groups.flatMap(({ rules }) =>
      rules.map(({ alert, expr }) => ({ where: alert, expression: expr })),
    ),
  ]
}

describe('the dashboard and the alerts', () => {
  it('ask for nothing that is not shown', async () => {
    const known = new Set(await shown())
    const all = expressions()
    expect(all.length).toBeGreaterThan(20)
    for (const { where, expression } of all) {
      const asked = metricsIn(expression)
      expect(asked.length, where).toBeGreaterThan(0)
      for (const name of asked) expect(known, where).toContain(name)
    }
  })

  it('group by labels that the metrics have', () => {
    const always = ['application', 'instance', 'le']
    for (const { where, expression } of expressions()) {
      const asked = metricsIn(expression).map(name => name.replace(/_bucket$/, ''))
      const known = new Set([
        ...always,
        ...asked.flatMap(name => labelNames[name as 'forager_tasks'] ?? []),
      ])
      for (const label of labelsIn(expression)) expect(known, where).toContain(label)
    }
  })
})

describe('what Prometheus scrapes', () => {
  it('has every metric, with its help', async () => {
    const text = await new PrometheusMetrics('shop').text()
    for (const name of names) expect(text).toContain(`# HELP ${name} `)
  })

  it('keeps values by label, and forgets those of what is gone', async () => {
    const metrics = new PrometheusMetrics('shop')
    metrics.count('forager_records_consumed_total', 3, { topic: 'a' })
    metrics.count('forager_records_consumed_total', 4, { topic: 'a' })
    metrics.set('forager_lag_records', 5, { topic: 'a', partition: '0' })
    metrics.set('forager_lag_records', 6, { topic: 'a', partition: '1' })
    metrics.forget('forager_lag_records', { topic: 'a', partition: '0' })
    const text = await metrics.text()
    expect(text).toContain('forager_records_consumed_total{topic="a",application="shop"} 7')
    expect(text).toContain('forager_lag_records{topic="a",partition="1",application="shop"} 6')
    expect(text).not.toContain('partition="0"')
  })
})

describe('the HTTP server', () => {
  const gauges = new GaugeRegistry()

  const open = (reason: string | null): Promise<HttpServer> =>
    HttpServer.open({
      host: '127.0.0.1',
      port: 0,
      contentType: 'text/plain',
      metrics: () => Promise.resolve('forager_tasks 1\n'),
      status: () => ({ state: 'running', ...gauges.values() }),
      notReady: () => reason,
    })

  async function get(server: HttpServer, path: string): Promise<[number, string]> {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`)
    return [response.status, await response.text()]
  }

  it('shows metrics and health', async () => {
    const server = await open(null)
    expect(await get(server, '/metrics')).toEqual([200, 'forager_tasks 1\n'])
    expect(await get(server, '/health/live')).toEqual([200, 'live\n'])
    expect(await get(server, '/health/ready?verbose')).toEqual([200, 'ready\n'])
    expect((await get(server, '/'))[0]).toBe(404)
    await server.close()
  })

  it('shows the gauges as they are now, and none of what is gone', async () => {
    const server = await open(null)
    gauges.set('forager_window_rows', 3, { task: '1_0' })
    gauges.set('forager_window_rows', 4, { task: '1_0' })
    gauges.set('forager_window_rows', 5, { task: '1_1' })
    gauges.forget('forager_window_rows', { task: '1_1' })
    const [status, text] = await get(server, '/status')
    expect([status, JSON.parse(text)]).toEqual([
      200,
      { state: 'running', window_rows: [{ task: '1_0', value: 4 }] },
    ])
    await server.close()
  })

  it('says why it is not ready', async () => {
    const server = await open('the group rebalances')
    expect(await get(server, '/health/ready')).toEqual([503, 'the group rebalances\n'])
    await server.close()
  })

  it('says which port it could not have', async () => {
    const first = await open(null)
    const { port } = first
    const second = HttpServer.open({
      host: '127.0.0.1',
      port,
      contentType: '',
      metrics: () => Promise.resolve(''),
      status: () => ({}),
      notReady: () => null,
    })
    await expect(second).rejects.toThrow(
      `http.port: cannot listen on 127.0.0.1:${port}: EADDRINUSE: another process listens there`,
    )
    await first.close()
  })
})
