/**
 * The log: the Merkle tree of RFC 6962 with SHA-256, and the verification algorithms of RFC 9162, 2.1.3.2 and 2.1.4.2.
 *
 * The data of a leaf is a 32-byte entry hash. Everything here is a Uint8Array of 32 bytes; indexes and sizes are
 * integers from 0 to 2^53 - 1, given as numbers or BigInts.
 */

import { exactBytes, list, refuse, safeNatural, sameBytes } from './bytes.js';
import { sha256 } from './sha256.js';

const LEAF_PREFIX = 0x00;
const NODE_PREFIX = 0x01;
const PATH_LIMIT = 54; // the longest path over 2^53 leaves; a longer list is not even looked at
const EMPTY_ROOT = sha256(new Uint8Array(0));

/** @param {unknown} leafData 32 bytes @returns {Uint8Array} SHA-256(0x00 || data) */
export function leafHash(leafData) {
  const preimage = new Uint8Array(33);
  preimage[0] = LEAF_PREFIX;
  preimage.set(exactBytes(leafData, 'bad_leaf', 32), 1);
  return sha256(preimage);
}

/** @param {Uint8Array} left @param {Uint8Array} right @returns {Uint8Array} SHA-256(0x01 || left || right) */
function nodeHash(left, right) {
  const preimage = new Uint8Array(65);
  preimage[0] = NODE_PREFIX;
  preimage.set(left, 1);
  preimage.set(right, 33);
  return sha256(preimage);
}

/** @param {unknown} path @returns {Uint8Array[]} */
function pathOf(path) {
  return Array.from(list(path, 'bad_path', PATH_LIMIT), (element) => exactBytes(element, 'bad_path', 32));
}

const half = (/** @type {number} */ n) => Math.floor(n / 2); // shifts stop at 32 bits
const isOdd = (/** @type {number} */ n) => n % 2 === 1;

/**
 * The root that a path leads to. The length of the path must be the one that index and size fix.
 *
 * @param {number | bigint} index of the leaf, below size
 * @param {number | bigint} size leaves in the tree
 * @param {Uint8Array} hash of the leaf, as leafHash makes it
 * @param {Uint8Array[]} path siblings, from the leaf up
 * @returns {Uint8Array}
 * @throws {import('./bytes.js').ProofError} bad_index, bad_size, bad_leaf, bad_path
 */
export function rootFromInclusion(index, size, hash, path) {
  const leaves = safeNatural(size, 'bad_size');
  let place = safeNatural(index, 'bad_index');
  if (place >= leaves) refuse('bad_index');
  let last = leaves - 1;
  let root = exactBytes(hash, 'bad_leaf', 32);
  for (const sibling of pathOf(path)) {
    if (last === 0) refuse('bad_path');
    if (isOdd(place) || place === last) {
      root = nodeHash(sibling, root);
      while (!isOdd(place) && place !== 0) {
        place = half(place);
        last = half(last);
      }
    } else {
      root = nodeHash(root, sibling);
    }
    place = half(place);
    last = half(last);
  }
  if (last !== 0) refuse('bad_path');
  return root;
}

/**
 * Whether the data is the leaf at that index of the tree of that size with that root. The size must come with the
 * root from one signed source: the root alone does not fix it, and a path may be walked alike in two sizes.
 *
 * @param {number | bigint} index
 * @param {number | bigint} size
 * @param {Uint8Array} leafData 32 bytes
 * @param {Uint8Array[]} path
 * @param {Uint8Array} root
 * @returns {boolean} false as well for anything malformed
 */
export function verifyInclusion(index, size, leafData, path, root) {
  return holds(() => {
    const expected = exactBytes(root, 'bad_root', 32);
    return sameBytes(rootFromInclusion(index, size, leafHash(leafData), path), expected);
  });
}

/**
 * Whether the tree of the old size with the old root is the beginning of the new one.
 * Equal sizes need an empty path and equal roots; the empty tree begins every tree, and needs an empty path.
 *
 * @param {number | bigint} oldSize at most newSize
 * @param {number | bigint} newSize
 * @param {Uint8Array} oldRoot
 * @param {Uint8Array} newRoot
 * @param {Uint8Array[]} path
 * @returns {boolean} false as well for anything malformed
 */
export function verifyConsistency(oldSize, newSize, oldRoot, newRoot, path) {
  return holds(() => {
    const first = safeNatural(oldSize, 'bad_size');
    const second = safeNatural(newSize, 'bad_size');
    const firstRoot = exactBytes(oldRoot, 'bad_root', 32);
    const secondRoot = exactBytes(newRoot, 'bad_root', 32);
    const nodes = pathOf(path);
    if (first > second) return false;
    if (first === 0 && !sameBytes(firstRoot, EMPTY_ROOT)) return false;
    if (first === second) return nodes.length === 0 && sameBytes(firstRoot, secondRoot);
    if (first === 0) return nodes.length === 0;
    return rootsAgree(first, second, firstRoot, secondRoot, nodes);
  });
}

/**
 * RFC 9162, 2.1.4.2, for 0 < first < second.
 * @param {number} first @param {number} second @param {Uint8Array} firstRoot @param {Uint8Array} secondRoot
 * @param {Uint8Array[]} path
 */
function rootsAgree(first, second, firstRoot, secondRoot, path) {
  if (path.length === 0) return false;
  let place = first - 1;
  let last = second - 1;
  while (isOdd(place)) {
    place = half(place);
    last = half(last);
  }
  // Only when first is a power of two is its whole tree one node of the new one: the walk starts from its root.
  const wholeSubtree = place === 0;
  let older = wholeSubtree ? firstRoot : path[0];
  let newer = older;
  for (const sibling of wholeSubtree ? path : path.slice(1)) {
    if (last === 0) return false;
    if (isOdd(place) || place === last) {
      older = nodeHash(sibling, older);
      newer = nodeHash(sibling, newer);
      while (!isOdd(place) && place !== 0) {
        place = half(place);
        last = half(last);
      }
    } else {
      newer = nodeHash(newer, sibling);
    }
    place = half(place);
    last = half(last);
  }
  return last === 0 && sameBytes(older, firstRoot) && sameBytes(newer, secondRoot);
}

/**
 * The root over leaves in their order; of none it is SHA-256 of nothing.
 * @param {Uint8Array[]} leafDatas 32 bytes each
 * @returns {Uint8Array}
 * @throws {import('./bytes.js').ProofError} bad_leaf
 */
export function merkleRoot(leafDatas) {
  /** Roots of full subtrees, the largest first: one for each bit set in the number of leaves so far. */
  const peaks = [];
  let count = 0;
  for (const leafData of list(leafDatas, 'bad_leaf')) {
    let hash = leafHash(leafData);
    for (let carry = count; isOdd(carry); carry = half(carry)) {
      hash = nodeHash(/** @type {Uint8Array} */ (peaks.pop()), hash);
    }
    peaks.push(hash);
    count += 1;
  }
  if (count === 0) return EMPTY_ROOT.slice();
  return peaks.reduceRight((right, left) => nodeHash(left, right));
}

/** Fails closed. @param {() => boolean} check @returns {boolean} */
function holds(check) {
  try {
    return check();
  } catch {
    return false;
  }
}
