/** Typed arrays have the byte order of the machine; files have the least significant byte first. */
export const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1
