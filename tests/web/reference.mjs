/**
 * The trees once more, written from their definitions with Node's own SHA-256: what the tests compare with.
 * Slow and plain on purpose; shares no code with the pages.
 */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** What Python made of the same formats; see vectors.py. */
export const vectors = JSON.parse(readFileSync(new URL('vectors.json', import.meta.url), 'utf8'));

export const hex = (bytes) => `0x${Buffer.from(bytes).toString('hex')}`;
export const unhex = (text) => new Uint8Array(Buffer.from(text.slice(2), 'hex'));
export const copy = (value) => structuredClone(value);

export function sha256(...parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

/** Entry hashes that differ from each other: SHA-256 of the place. */
export const entries = (count) => Array.from({ length: count }, (_, place) => sha256(`entry ${place}`));

export const leafHash = (leaf) => sha256(Uint8Array.of(0), leaf);
export const nodeHash = (left, right) => sha256(Uint8Array.of(1), left, right);

/** Largest power of two below size. */
const splitOf = (size) => 2 ** Math.floor(Math.log2(size - 1));

/** MTH of RFC 6962, 2.1. */
export function rootOf(leaves) {
  if (leaves.length === 0) return sha256();
  if (leaves.length === 1) return leafHash(leaves[0]);
  const middle = splitOf(leaves.length);
  return nodeHash(rootOf(leaves.slice(0, middle)), rootOf(leaves.slice(middle)));
}

/** PATH of RFC 6962, 2.1.1. */
export function inclusionPath(index, leaves) {
  if (leaves.length === 1) return [];
  const middle = splitOf(leaves.length);
  return index < middle
    ? [...inclusionPath(index, leaves.slice(0, middle)), rootOf(leaves.slice(middle))]
    : [...inclusionPath(index - middle, leaves.slice(middle)), rootOf(leaves.slice(0, middle))];
}

/** PROOF of RFC 6962, 2.1.2. */
export function consistencyPath(oldSize, leaves, whole = true) {
  if (oldSize === leaves.length) return whole ? [] : [rootOf(leaves)];
  const middle = splitOf(leaves.length);
  return oldSize <= middle
    ? [...consistencyPath(oldSize, leaves.slice(0, middle), whole), rootOf(leaves.slice(middle))]
    : [...consistencyPath(oldSize - middle, leaves.slice(middle), false), rootOf(leaves.slice(0, middle))];
}

/** A copy of bytes with one bit turned over. */
export function flipped(bytes, bit = 0) {
  const changed = Uint8Array.from(bytes);
  changed[bit >> 3] ^= 1 << (bit & 7);
  return changed;
}

/** A copy of hex with one bit turned over. */
export const flippedHex = (text, bit = 0) => hex(flipped(unhex(text), bit));
