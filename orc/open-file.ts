/** Opening a file: what its end says, checked against the file and against itself. */
import { ByteInput } from './byte-input.ts'
import { type Chunking, createCodec } from './compression.ts'
import { corrupt, OrcError } from './errors.ts'
import {
  decodeFooter,
  decodeMetadata,
  decodePostscript,
  type Footer,
  magic,
  type Postscript,
} from './file-tail.ts'
import { type OrcSource, readExactly } from './stripe-reader.ts'
import { listColumns, numberColumns, type OrcColumn, type OrcType } from './types.ts'

/** Read in one go; the postscript, the footer and often the metadata are in it. */
const tailBytes = 16 * 1024

/** What the end of a file says. */
export interface OpenFile {
  readonly postscript: Postscript
  readonly footer: Footer
  /** By stripe, still encoded. */
  readonly metadata: readonly Uint8Array[]
  readonly root: OrcColumn
  readonly chunking: Chunking
}

export async function openFile(source: OrcSource, maxSectionBytes: number): Promise<OpenFile> {
  const { postscript, footerSection, metadataSection } = await readTail(source)
  const { compression, blockBytes } = postscript
  const chunking = { codec: createCodec(compression), blockBytes }
  const readSection = (bytes: Uint8Array, where: string): Uint8Array =>
    new ByteInput(bytes, chunking, where).readAll(maxSectionBytes)
  const footer = decodeFooter(readSection(footerSection, 'file footer'))
  const metadata = decodeMetadata(readSection(metadataSection, 'file metadata'))
  const root = checkFooter(footer, source.sizeBytes)
  return { postscript, footer, metadata, root, chunking }
}

interface Tail {
  readonly postscript: Postscript
  readonly footerSection: Uint8Array
  readonly metadataSection: Uint8Array
}

async function readTail(source: OrcSource): Promise<Tail> {
  const where = 'end of file'
  const { sizeBytes } = source
  if (sizeBytes < magic.length + 2) {
    throw new OrcError('file-not-orc', `a file of ${sizeBytes} bytes`, where)
  }
  const read = Math.min(sizeBytes, tailBytes)
  const tail = await readExactly(source, sizeBytes - read, read, where)
  const postscriptBytes = tail.at(-1)!
  if (postscriptBytes + 1 > sizeBytes) {
    throw new OrcError('file-not-orc', 'the postscript is longer than the file', where)
  }
  const postscript = decodePostscriptOrRefuse(tail.subarray(-1 - postscriptBytes, -1))
  const sections = postscript.footerBytes + postscript.metadataBytes
  const needed = sections + postscriptBytes + 1
  if (needed > sizeBytes) throw corrupt('the footer is longer than the file', where)
  const bytes =
    needed <= tail.length
      ? tail.subarray(tail.length - needed)
      : await readExactly(source, sizeBytes - needed, needed, where)
  return {
    postscript,
    metadataSection: bytes.subarray(0, postscript.metadataBytes),
    footerSection: bytes.subarray(postscript.metadataBytes, sections),
  }
}

/** What does not decode as a postscript at all is not an ORC file, rather than a corrupt one. */
function decodePostscriptOrRefuse(bytes: Uint8Array): Postscript {
  try {
    return decodePostscript(bytes)
  } catch (error) {
    if (error instanceof OrcError && !Buffer.from(bytes).includes(magic)) {
      throw new OrcError('file-not-orc', 'the file does not end like an ORC file', 'end of file')
    }
    throw error
  }
}

/** A schema that no one could write is the file's fault, not that of the caller. */
function numberFileColumns(schema: OrcType, where: string): OrcColumn {
  try {
    return numberColumns(schema, 'read')
  } catch (error) {
    throw error instanceof OrcError ? corrupt(error.message, where) : error
  }
}

/** Checks what the footer says against the file and itself; returns its columns. */
function checkFooter(footer: Footer, sizeBytes: number): OrcColumn {
  const where = 'file footer'
  let rowCount = 0
  footer.stripes.forEach((stripe, index) => {
    const end = stripe.offset + stripe.indexBytes + stripe.dataBytes + stripe.footerBytes
    if (end > sizeBytes) throw corrupt(`stripe ${index} ends behind the end of the file`, where)
    rowCount += stripe.rowCount
  })
  if (rowCount !== footer.rowCount) {
    throw corrupt(`the stripes have ${rowCount} rows, the file ${footer.rowCount}`, where)
  }
  const root = numberFileColumns(footer.schema, where)
  const columnCount = listColumns(root).length
  if (footer.statistics.length !== 0 && footer.statistics.length !== columnCount) {
    throw corrupt(`${footer.statistics.length} statistics for ${columnCount} columns`, where)
  }
  return root
}
