/**
 * The words every verifier here is built from: hex, fixed-width integers, strict reading of JSON values.
 *
 * A value that is not exactly what the format says raises a {@link ProofError} with a stable code; nothing is
 * trimmed, padded or converted on the way in.
 */

/** @typedef {string} Hex `0x` (small x) and an even number of hexadecimal digits. */

/** A proof, or an input to one, that is refused. `code` is stable and meant for machines and translations. */
export class ProofError extends Error {
  /** @param {string} code */
  constructor(code) {
    super(code);
    this.name = 'ProofError';
    this.code = code;
  }
}

/** @param {string} code @returns {never} */
export function refuse(code) {
  throw new ProofError(code);
}

/**
 * Runs a check and turns what it throws into a verdict. Anything unforeseen is a refusal too: a verifier fails
 * closed, and hostile input (a throwing getter, a proxy) must not surface as an exception.
 *
 * @template {object} T
 * @param {() => T} check
 * @returns {({ok: true} & T) | {ok: false, reason: string}}
 */
export function verdictOf(check) {
  try {
    return { ok: true, ...check() };
  } catch (error) {
    return { ok: false, reason: error instanceof ProofError ? error.code : 'malformed' };
  }
}

const DECIMAL = /^(?:0|[1-9][0-9]*)$/;

const HEX_OF_BYTE = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Digits of both cases by character code; a hole everywhere else. */
const NIBBLE_OF_LETTER = /** @type {number[]} */ ([]);
[...'0123456789abcdef'].forEach((digit, nibble) => {
  NIBBLE_OF_LETTER[digit.charCodeAt(0)] = nibble;
  NIBBLE_OF_LETTER[digit.toUpperCase().charCodeAt(0)] = nibble;
});

/** @param {Uint8Array} bytes @returns {Hex} in small letters */
export function hexFromBytes(bytes) {
  let text = '0x';
  for (let i = 0; i < bytes.length; i += 1) text += HEX_OF_BYTE[bytes[i]];
  return text;
}

/**
 * @param {unknown} value
 * @param {string} code the refusal when it is not hex of that length
 * @param {number} [length] exact number of bytes; any when left out
 * @returns {Uint8Array}
 */
export function bytesFromHex(value, code, length) {
  if (typeof value !== 'string' || value.length % 2 !== 0 || !value.startsWith('0x')) refuse(code);
  if (length !== undefined && value.length !== 2 + 2 * length) refuse(code);
  const bytes = new Uint8Array(value.length / 2 - 1);
  for (let i = 0; i < bytes.length; i += 1) {
    const high = NIBBLE_OF_LETTER[value.charCodeAt(2 * i + 2)];
    const low = NIBBLE_OF_LETTER[value.charCodeAt(2 * i + 3)];
    if (high === undefined || low === undefined) refuse(code);
    bytes[i] = (high << 4) | low;
  }
  return bytes;
}

/** @param {unknown} value @param {string} code @param {number} length @returns {Uint8Array} */
export function exactBytes(value, code, length) {
  if (!(value instanceof Uint8Array) || value.length !== length) refuse(code);
  return value;
}

/**
 * An integer from 0 to 2^53 - 1, as a JSON number is read.
 * @param {unknown} value a number or a BigInt
 * @param {string} code
 * @returns {number}
 */
export function safeNatural(value, code) {
  const number = typeof value === 'bigint' && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isSafeInteger(number) || number < 0) refuse(code);
  return number;
}

/**
 * A decimal string without sign, leading zeros or spaces, in [0, 2^bits).
 * @param {unknown} value
 * @param {number} bits
 * @param {string} code
 * @returns {bigint}
 */
export function naturalFromDecimal(value, bits, code) {
  // The length is capped before the digits are read: BigInt() of a megabyte is work for nothing.
  if (typeof value !== 'string' || value.length > 78 || !DECIMAL.test(value)) refuse(code);
  const natural = BigInt(value);
  if (natural >> BigInt(bits) !== 0n) refuse(code);
  return natural;
}

/**
 * A natural number below 2^256 given by the caller (not by a proof).
 * @param {unknown} value a safe integer or a BigInt
 * @param {string} code
 * @returns {bigint}
 */
export function uint256(value, code) {
  const natural = typeof value === 'bigint' ? value : BigInt(safeNatural(value, code));
  if (natural < 0n || natural >> 256n !== 0n) refuse(code);
  return natural;
}

/** @param {unknown} value @param {string} code @returns {Record<string, unknown>} */
export function record(value, code) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse(code);
  return /** @type {Record<string, unknown>} */ (value);
}

/** @param {unknown} value @param {string} code @param {number} [limit] @returns {unknown[]} */
export function list(value, code, limit = Infinity) {
  if (!Array.isArray(value) || value.length > limit) refuse(code);
  return value;
}

/** @param {...Uint8Array} parts @returns {Uint8Array} */
export function concat(...parts) {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** @param {Uint8Array} a @param {Uint8Array} b @returns {boolean} */
export function sameBytes(a, b) {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}

/** 32 bytes, big-endian. @param {bigint | number} natural below 2^256 @returns {Uint8Array} */
export function word(natural) {
  const bytes = new Uint8Array(32);
  let rest = BigInt(natural);
  const view = new DataView(bytes.buffer);
  for (let at = 24; rest > 0n && at >= 0; at -= 8) {
    view.setBigUint64(at, BigInt.asUintN(64, rest));
    rest >>= 64n;
  }
  return bytes;
}

/** @param {Uint8Array} bytes big-endian @returns {bigint} */
export function naturalFromBytes(bytes) {
  return bytes.length === 0 ? 0n : BigInt(hexFromBytes(bytes));
}

/** @param {string} text ASCII @returns {Uint8Array} one byte a character */
export function ascii(text) {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}
