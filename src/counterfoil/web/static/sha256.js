/**
 * SHA-256 (FIPS 180-4), synchronous: `crypto.subtle` answers later, and not at all on a page served over plain http.
 * The constants are computed from the primes, as the standard defines them.
 */

const BLOCK_BYTES = 64;
const ROUNDS = 64;

/** Floor of the `degree`-th root of a natural number. @param {bigint} natural @param {bigint} degree */
function integerRoot(natural, degree) {
  let low = 0n;
  let high = natural + 1n;
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (middle ** degree <= natural) low = middle;
    else high = middle;
  }
  return low;
}

/** The first 32 bits of the fraction of a root of a prime. @param {number} prime @param {number} degree */
function rootFraction(prime, degree) {
  const scaled = BigInt(prime) << BigInt(32 * degree);
  return Number(BigInt.asIntN(32, integerRoot(scaled, BigInt(degree))));
}

/** @param {number} count @returns {number[]} */
function firstPrimes(count) {
  /** @type {number[]} */
  const primes = [];
  for (let n = 2; primes.length < count; n += 1) if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  return primes;
}

const PRIMES = firstPrimes(ROUNDS);
const ROUND_CONSTANTS = Int32Array.from(PRIMES, (prime) => rootFraction(prime, 3));
const START = Int32Array.from(PRIMES.slice(0, 8), (prime) => rootFraction(prime, 2));

/** Scratch space, overwritten by every call; nothing yields in between. */
const schedule = new Int32Array(ROUNDS);
const state = new Int32Array(8);
const tail = new Uint8Array(2 * BLOCK_BYTES);
const tailView = new DataView(tail.buffer);

/** @param {Uint8Array} bytes @param {number} offset of a whole block; its words are mixed into `state` */
function mixBlock(bytes, offset) {
  for (let i = 0, at = offset; i < 16; i += 1, at += 4) {
    schedule[i] = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
  }
  for (let i = 16; i < ROUNDS; i += 1) {
    const x = schedule[i - 15];
    const y = schedule[i - 2];
    const small0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const small1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    schedule[i] = (schedule[i - 16] + small0 + schedule[i - 7] + small1) | 0;
  }
  let a = state[0];
  let b = state[1];
  let c = state[2];
  let d = state[3];
  let e = state[4];
  let f = state[5];
  let g = state[6];
  let h = state[7];
  for (let i = 0; i < ROUNDS; i += 1) {
    const big1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const choice = g ^ (e & (f ^ g));
    const one = (h + big1 + choice + ROUND_CONSTANTS[i] + schedule[i]) | 0;
    const big0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const majority = (a & b) | (c & (a | b));
    h = g;
    g = f;
    f = e;
    e = (d + one) | 0;
    d = c;
    c = b;
    b = a;
    a = (one + big0 + majority) | 0;
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
  state[5] += f;
  state[6] += g;
  state[7] += h;
}

/** @param {Uint8Array} message @returns {Uint8Array} 32 bytes */
export function sha256(message) {
  state.set(START);
  const length = message.length;
  const whole = length - (length % BLOCK_BYTES);
  for (let offset = 0; offset < whole; offset += BLOCK_BYTES) mixBlock(message, offset);

  const rest = length - whole;
  const tailBytes = rest + 9 > BLOCK_BYTES ? 2 * BLOCK_BYTES : BLOCK_BYTES; // 0x80 and the length must fit
  tail.fill(0);
  for (let i = 0; i < rest; i += 1) tail[i] = message[whole + i];
  tail[rest] = 0x80;
  tailView.setUint32(tailBytes - 8, Math.floor(length / 2 ** 29)); // the length in bits, its high word
  tailView.setUint32(tailBytes - 4, (length << 3) >>> 0);
  for (let offset = 0; offset < tailBytes; offset += BLOCK_BYTES) mixBlock(tail, offset);

  const digest = new Uint8Array(32);
  for (let i = 0; i < 8; i += 1) {
    digest[4 * i] = state[i] >>> 24;
    digest[4 * i + 1] = state[i] >>> 16;
    digest[4 * i + 2] = state[i] >>> 8;
    digest[4 * i + 3] = state[i];
  }
  return digest;
}
