/**
 * Who signed: recovery of an Ethereum address from an ECDSA signature over secp256k1, with BigInt.
 * Verification only, of public values: nothing here is constant-time and no secret may come near it.
 *
 * Sources: SEC 1 v2, 4.1.6 (recovery), SEC 2 (the curve), Hankerson, Menezes, Vanstone: Guide to Elliptic Curve
 * Cryptography, 3.3 (signed windows) and 3.5 (the endomorphism that halves the doublings).
 */

import { bytesFromHex, concat, hexFromBytes, naturalFromBytes, refuse, word } from './bytes.js';
import { keccak256 } from './keccak.js';

/** @typedef {{x: bigint, y: bigint}} Point affine */
/** @typedef {{x: bigint, y: bigint, z: bigint}} Jacobian stands for (x/z^2, y/z^3); z = 0 is the point at infinity */

const FIELD = 2n ** 256n - 2n ** 32n - 977n; // p
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n; // n
const HALF_ORDER = ORDER >> 1n;
const B = 7n; // y^2 = x^3 + 7
const GENERATOR = {
  x: 0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798n,
  y: 0x483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8n,
};

/** LAMBDA * (x, y) = (BETA * x, y): cube roots of one modulo the order and the field. */
const BETA = 0x7ae96a2b657c07106e64479eac3434e99cf0497512f58995c1396c28719501een;
/** Two short vectors (a, b) with a + b * LAMBDA = 0 modulo the order. */
const A1 = 0x3086d221a7d46bcde86c90e49284eb15n;
const B1 = -0xe4437ed6010e88286f547fa90abfe4c3n;
const A2 = 0x114ca50f7a8e2f3f657c1108d9d44cfd8n;
const B2 = A1;

const POINT_WINDOW_BITS = 5;
const GENERATOR_WINDOW_BITS = 8;
const LOW_256_BITS = 2n ** 256n - 1n;
const FOLD = 2n ** 32n + 977n; // 2^256 modulo the field

/** Reduces a product below 2^520 to its residue; 2^256 = FOLD, so the high part is folded on to the low one. */
function reduce(/** @type {bigint} */ product) {
  let rest = (product & LOW_256_BITS) + (product >> 256n) * FOLD;
  rest = (rest & LOW_256_BITS) + (rest >> 256n) * FOLD;
  return rest >= FIELD ? rest - FIELD : rest;
}

/** @param {bigint} value any sign @param {bigint} modulus @returns {bigint} in [0, modulus) */
function residue(value, modulus) {
  const rest = value % modulus;
  return rest < 0n ? rest + modulus : rest;
}

/** By Euclid's extended algorithm. @param {bigint} value not 0 modulo the modulus @param {bigint} modulus a prime */
function inverse(value, modulus) {
  let [low, high] = [residue(value, modulus), modulus];
  let [factor, previous] = [1n, 0n];
  while (low > 1n) {
    const quotient = high / low;
    [high, low] = [low, high - quotient * low];
    [previous, factor] = [factor, previous - quotient * factor];
  }
  return residue(factor, modulus);
}

/** value^((p + 1) / 4): a square root if there is one, as p = 3 modulo 4. @param {bigint} value */
function rootCandidate(value) {
  // The exponent in binary is 223 ones, a zero, 22 ones, 0000, 11, 00: built from runs of ones.
  const squared = (/** @type {bigint} */ x, /** @type {number} */ times) => {
    let y = x;
    for (let i = 0; i < times; i += 1) y = reduce(y * y);
    return y;
  };
  const ones2 = reduce(squared(value, 1) * value);
  const ones3 = reduce(squared(ones2, 1) * value);
  const ones6 = reduce(squared(ones3, 3) * ones3);
  const ones11 = reduce(squared(reduce(squared(ones6, 3) * ones3), 2) * ones2);
  const ones22 = reduce(squared(ones11, 11) * ones11);
  const ones44 = reduce(squared(ones22, 22) * ones22);
  const ones88 = reduce(squared(ones44, 44) * ones44);
  const ones176 = reduce(squared(ones88, 88) * ones88);
  const ones220 = reduce(squared(ones176, 44) * ones44);
  const ones223 = reduce(squared(ones220, 3) * ones3);
  const middle = reduce(squared(ones223, 23) * ones22);
  return squared(reduce(squared(middle, 6) * ones2), 2);
}

/** @param {Jacobian} p @returns {Jacobian} p + p */
function twice({ x, y, z }) {
  const yy = reduce(y * y);
  const s = reduce(4n * x * yy);
  const m = 3n * reduce(x * x);
  const x3 = reduce(m * m + 2n * (FIELD - s));
  return { x: x3, y: reduce(m * (s + FIELD - x3) + 8n * (FIELD * FIELD - yy * yy)), z: reduce(2n * y * z) };
}

/** @param {Jacobian} p @param {Jacobian} q @returns {Jacobian} p + q, for any two points */
function sum(p, q) {
  if (p.z === 0n) return q;
  if (q.z === 0n) return p;
  const affine = q.z === 1n;
  const pzz = reduce(p.z * p.z);
  const qzz = affine ? 1n : reduce(q.z * q.z);
  const u1 = affine ? p.x : reduce(p.x * qzz);
  const u2 = reduce(q.x * pzz);
  const s1 = affine ? p.y : reduce(p.y * reduce(q.z * qzz));
  const s2 = reduce(q.y * reduce(p.z * pzz));
  const h = u2 >= u1 ? u2 - u1 : u2 - u1 + FIELD;
  const r = s2 >= s1 ? s2 - s1 : s2 - s1 + FIELD;
  if (h === 0n) return r === 0n ? twice(p) : { x: 1n, y: 1n, z: 0n };
  const hh = reduce(h * h);
  const hhh = reduce(h * hh);
  const v = reduce(u1 * hh);
  const x3 = reduce(r * r + 3n * FIELD - hhh - 2n * v);
  const y3 = reduce(r * (v + FIELD - x3) + s1 * (FIELD - hhh));
  return { x: x3, y: y3, z: reduce(affine ? p.z * h : reduce(p.z * q.z) * h) };
}

/** @param {Jacobian} p not infinity @returns {Point} */
function affineOf(p) {
  const inverted = inverse(p.z, FIELD);
  const squared = reduce(inverted * inverted);
  return { x: reduce(p.x * squared), y: reduce(p.y * reduce(squared * inverted)) };
}

/** 1P, 3P, 5P, ...: what the odd digits of a signed window need. @param {Point} point @param {number} bits */
function oddMultiples({ x, y }, bits) {
  const multiples = [{ x, y, z: 1n }];
  const step = twice(multiples[0]);
  for (let i = 1; i < 2 ** (bits - 2); i += 1) multiples.push(sum(multiples[i - 1], step));
  return multiples;
}

/** LAMBDA times each point. @param {Jacobian[]} points */
const turned = (points) => points.map(({ x, y, z }) => ({ x: reduce(x * BETA), y, z }));

const GENERATOR_MULTIPLES = oddMultiples(GENERATOR, GENERATOR_WINDOW_BITS).map((p) => ({
  ...affineOf(p),
  z: 1n,
}));
const TURNED_GENERATOR_MULTIPLES = turned(GENERATOR_MULTIPLES);

/** Integer nearest to numerator / ORDER. @param {bigint} numerator not negative */
const nearest = (numerator) => (numerator + HALF_ORDER) / ORDER;

/** k = first + second * LAMBDA modulo the order, both of about 128 bits, of any sign. @param {bigint} k */
function split(k) {
  const c1 = nearest(B2 * k);
  const c2 = nearest(-B1 * k);
  return [k - c1 * A1 - c2 * A2, -c1 * B1 - c2 * B2];
}

/**
 * Signed digits, lowest first, each 0 or odd and below 2^(bits-1), with zeros between.
 * @param {bigint} scalar of any sign @param {number} bits of the window @returns {number[]}
 */
function signedDigits(scalar, bits) {
  const sign = scalar < 0n ? -1 : 1;
  const binary = (scalar < 0n ? -scalar : scalar).toString(2);
  const digits = [];
  let carry = 0;
  for (let end = binary.length; end > 0 || carry > 0;) {
    const bit = (end > 0 ? binary.charCodeAt(end - 1) & 1 : 0) + carry;
    if (bit !== 1) {
      digits.push(0);
      carry = bit >> 1;
      end -= 1;
    } else {
      let digit = Number.parseInt(`0${binary.slice(Math.max(0, end - bits), Math.max(0, end))}`, 2) + carry;
      carry = digit >> (bits - 1);
      if (carry === 1) digit -= 2 ** bits;
      digits.push(sign * digit);
      for (let i = 1; i < bits; i += 1) digits.push(0);
      end -= bits;
    }
  }
  return digits;
}

/**
 * a * GENERATOR + b * point, all four half-length scalars in one run of doublings.
 * @param {bigint} a @param {bigint} b @param {Point} point @returns {Jacobian}
 */
function combination(a, b, point) {
  const multiples = oddMultiples(point, POINT_WINDOW_BITS);
  const [a1, a2] = split(a);
  const [b1, b2] = split(b);
  const terms = [
    { digits: signedDigits(a1, GENERATOR_WINDOW_BITS), table: GENERATOR_MULTIPLES },
    { digits: signedDigits(a2, GENERATOR_WINDOW_BITS), table: TURNED_GENERATOR_MULTIPLES },
    { digits: signedDigits(b1, POINT_WINDOW_BITS), table: multiples },
    { digits: signedDigits(b2, POINT_WINDOW_BITS), table: turned(multiples) },
  ];
  /** @type {Jacobian} */
  let total = { x: 1n, y: 1n, z: 0n };
  for (let i = Math.max(...terms.map((term) => term.digits.length)) - 1; i >= 0; i -= 1) {
    if (total.z !== 0n) total = twice(total);
    for (const { digits, table } of terms) {
      const digit = digits[i] ?? 0;
      if (digit === 0) continue;
      const p = table[(Math.abs(digit) - 1) / 2];
      total = sum(total, digit > 0 ? p : { x: p.x, y: FIELD - p.y, z: p.z });
    }
  }
  return total;
}

/**
 * The address that signed a digest.
 *
 * @param {unknown} digest 32 bytes as hex
 * @param {unknown} signature 65 bytes r || s || v as hex, v 27 or 28, s in the lower half of the order
 * @returns {import('./bytes.js').Hex} 20 bytes, small letters
 * @throws {import('./bytes.js').ProofError} bad_digest, bad_signature, bad_v, high_s
 */
export function recoverSigner(digest, signature) {
  const message = naturalFromBytes(bytesFromHex(digest, 'bad_digest', 32));
  const bytes = bytesFromHex(signature, 'bad_signature', 65);
  const r = naturalFromBytes(bytes.subarray(0, 32));
  const s = naturalFromBytes(bytes.subarray(32, 64));
  const v = bytes[64];
  if (v !== 27 && v !== 28) refuse('bad_v');
  if (r === 0n || r >= ORDER || s === 0n || s >= ORDER) refuse('bad_signature');
  if (s > HALF_ORDER) refuse('high_s');

  const square = reduce(reduce(r * r) * r + B);
  const root = rootCandidate(square);
  if (reduce(root * root) !== square) refuse('bad_signature'); // no point has this x
  const y = (root & 1n) === BigInt(v - 27) ? root : FIELD - root;

  const inverted = inverse(r, ORDER);
  const key = combination(residue(-message * inverted, ORDER), (s * inverted) % ORDER, { x: r, y });
  if (key.z === 0n) refuse('bad_signature');
  const { x: keyX, y: keyY } = affineOf(key);
  return hexFromBytes(keccak256(concat(word(keyX), word(keyY))).subarray(12));
}
