/** `GET /history` and `/history/TABLE`: the record as JSON. Who asks was let in before (`http-server.ts`). */
import type { History } from '../../observe/history/history.ts'
import type { HttpAnswer } from '../../observe/http-server.ts'
import { reportJson, reportOf } from './history-report.ts'

const defaultLimit = 20
/** Of each kind. */
export const maxLimit = 1000
const plain = 'text/plain; charset=utf-8'

export async function answerHistory(
  application: string,
  history: History | null,
  url: string,
): Promise<HttpAnswer> {
  const asked = parseRequest(url)
  if (typeof asked === 'string') return { status: 400, type: plain, body: `${asked}\n` }
  const unavailable = { status: 503, type: plain, body: 'the history cannot be read now\n' }
  if (history === null) return unavailable
  try {
    const report = await reportOf(history, { application, ...asked })
    const body = `${JSON.stringify(reportJson(report), null, 2)}\n`
    return { status: 200, type: 'application/json', body, headers: { 'cache-control': 'no-store' } }
  } catch {
    return unavailable
  }
}

/** A text says what is wrong. */
function parseRequest(
  url: string,
): { readonly table?: string; readonly limit: number; readonly sinceMs?: number } | string {
  const [path = '', query = ''] = url.split('?', 2)
  const given = new URLSearchParams(query)
  for (const name of given.keys()) {
    if (!['limit', 'since'].includes(name))
      return `unknown parameter ${name}: there are limit and since`
  }
  const limit = given.get('limit') ?? String(defaultLimit)
  if (!/^[1-9]\d{0,8}$/.test(limit) || Number(limit) > maxLimit) {
    return `limit must be a whole number from 1 to ${maxLimit}`
  }
  const since = given.get('since')
  const sinceMs = since === null ? undefined : Date.parse(since)
  if (sinceMs !== undefined && Number.isNaN(sinceMs)) {
    return 'since must be a time, like 2026-05-31T08:00:00Z'
  }
  const name = path.slice('/history/'.length)
  let table: string
  try {
    table = decodeURIComponent(name)
  } catch {
    return 'the name of the table is not URL-encoded'
  }
  return {
    limit: Number(limit),
    ...(table === '' ? {} : { table }),
    ...(sinceMs === undefined ? {} : { sinceMs }),
  }
}
