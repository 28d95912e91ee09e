/** What a look at a server or a table found: a line for whoever asked. */
export interface Finding {
  /** `HiveServer2 host:10000`, `ods.user`. */
  readonly what: string
  readonly isWell: boolean
  readonly text: string
}

export function well(what: string, text: string): Finding {
  return { what, isWell: true, text }
}

export function ill(what: string, text: string): Finding {
  return { what, isWell: false, text }
}
