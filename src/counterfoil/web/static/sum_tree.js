/**
 * The liability tree of one currency: a SHA-256 Merkle sum tree in which every hash covers the sums below it,
 * so that no balance can be left out or offset by a negative one without the total showing it.
 *
 * Hashes are 32 bytes as hex, points are decimal strings without leading zeros, below 2^128.
 */

import {
  ascii,
  bytesFromHex,
  concat,
  hexFromBytes,
  list,
  naturalFromDecimal,
  record,
  refuse,
  safeNatural,
  sameBytes,
  uint256,
  verdictOf,
  word,
} from './bytes.js';
import { sha256 } from './sha256.js';

/** @typedef {{hash: Uint8Array, sum: bigint}} Node */
/** @typedef {{place: number, balance: string, commitment: string}} Leaf */
/**
 * @typedef {object} LiabilityProof
 * @property {number} currency
 * @property {number} place of the leaf, below 2^depth
 * @property {number} depth 0 to 48
 * @property {string} balance points, more than 0
 * @property {string} commitment 32 bytes, see memberCommitment
 * @property {{hash: string, sum: string}[]} siblings from the leaf up, exactly depth
 */

const SUM_BITS = 128;
const DEPTH_LIMIT = 48;

/** ASCII, padded on the right with zeros to 32 bytes. @param {string} text */
const tag = (text) => concat(ascii(text), new Uint8Array(32 - text.length));

const LEAF_TAG = tag('counterfoil.sum.leaf.v1');
const EMPTY_TAG = tag('counterfoil.sum.empty.v1');
const NODE_TAG = tag('counterfoil.sum.node.v1');
const MEMBER_TAG = tag('counterfoil.sum.member.v1');

/**
 * What stands for a member in a leaf; only who knows the salt can tell.
 * @param {number | bigint} member number of the member, below 2^256
 * @param {string} salt 32 bytes as hex
 * @returns {string} 32 bytes as hex
 * @throws {import('./bytes.js').ProofError} bad_member, bad_salt
 */
export function memberCommitment(member, salt) {
  const preimage = concat(MEMBER_TAG, word(uint256(member, 'bad_member')), bytesFromHex(salt, 'bad_salt', 32));
  return hexFromBytes(sha256(preimage));
}

/** @param {number} currency @param {bigint} balance @param {Uint8Array} commitment @returns {Node} */
function leafNode(currency, balance, commitment) {
  return { hash: sha256(concat(LEAF_TAG, word(currency), word(balance), commitment)), sum: balance };
}

/** @param {number} currency @returns {Node} */
function emptyNode(currency) {
  return { hash: sha256(concat(EMPTY_TAG, word(currency))), sum: 0n };
}

/** @param {Node} left @param {Node} right @returns {Node} */
function parentNode(left, right) {
  const sum = left.sum + right.sum;
  if (sum >> BigInt(SUM_BITS) !== 0n) refuse('sum_out_of_range');
  return { hash: sha256(concat(NODE_TAG, left.hash, word(left.sum), right.hash, word(right.sum))), sum };
}

/** @param {unknown} value @returns {number} */
function depthOf(value) {
  const depth = safeNatural(value, 'bad_depth');
  if (depth > DEPTH_LIMIT) refuse('bad_depth');
  return depth;
}

/** @param {unknown} value @param {number} depth @returns {number} */
function placeOf(value, depth) {
  const place = safeNatural(value, 'bad_place');
  if (place >= 2 ** depth) refuse('bad_place');
  return place;
}

/** @param {unknown} value @returns {bigint} more than 0: an empty place is padding, not a leaf */
function balanceOf(value) {
  const balance = naturalFromDecimal(value, SUM_BITS, 'bad_balance');
  if (balance === 0n) refuse('zero_balance');
  return balance;
}

/**
 * Whether the balance is counted in the total under that root. Whether the leaf is the reader's own is another
 * question: compare `currency`, `balance` and memberCommitment(member, salt) with what the books say.
 *
 * @param {unknown} proof a LiabilityProof as parsed from JSON
 * @param {string} root 32 bytes as hex
 * @param {string | bigint} total points owed in this currency
 * @returns {{ok: true} | {ok: false, reason: string}} reason is one of malformed, bad_expected_root,
 *   bad_expected_total, bad_currency, bad_depth, bad_place, bad_balance, zero_balance, bad_commitment, bad_siblings,
 *   bad_sibling, sum_out_of_range, wrong_total, wrong_root
 */
export function verifyLiability(proof, root, total) {
  return verdictOf(() => {
    const expectedRoot = bytesFromHex(root, 'bad_expected_root', 32);
    const totalText = typeof total === 'bigint' ? total.toString() : total;
    const expectedTotal = naturalFromDecimal(totalText, SUM_BITS, 'bad_expected_total');
    const fields = record(proof, 'malformed');
    const currency = safeNatural(fields.currency, 'bad_currency');
    const depth = depthOf(fields.depth);
    let place = placeOf(fields.place, depth);
    const siblings = list(fields.siblings, 'bad_siblings', DEPTH_LIMIT);
    if (siblings.length !== depth) refuse('bad_siblings');

    const commitment = bytesFromHex(fields.commitment, 'bad_commitment', 32);
    let node = leafNode(currency, balanceOf(fields.balance), commitment);
    for (const sibling of siblings) {
      const { hash, sum } = record(sibling, 'bad_sibling');
      const other = {
        hash: bytesFromHex(hash, 'bad_sibling', 32),
        sum: naturalFromDecimal(sum, SUM_BITS, 'bad_sibling'),
      };
      node = place % 2 === 0 ? parentNode(node, other) : parentNode(other, node);
      place = Math.floor(place / 2);
    }
    if (node.sum !== expectedTotal) refuse('wrong_total');
    if (!sameBytes(node.hash, expectedRoot)) refuse('wrong_root');
    return {};
  });
}

/**
 * The root of a whole tree, from its leaves in any order; every other place is padding.
 *
 * @param {number} currency
 * @param {number} depth 0 to 48
 * @param {Leaf[]} leaves at different places
 * @returns {{hash: string, sum: string}}
 * @throws {import('./bytes.js').ProofError} the codes of verifyLiability, bad_leaves, same_place
 */
export function sumTreeRoot(currency, depth, leaves) {
  const levels = depthOf(depth);
  let padding = emptyNode(safeNatural(currency, 'bad_currency'));
  /** @type {Map<number, Node>} */
  let level = new Map();
  for (const leaf of list(leaves, 'bad_leaves')) {
    const fields = record(leaf, 'bad_leaves');
    const place = placeOf(fields.place, levels);
    if (level.has(place)) refuse('same_place');
    const commitment = bytesFromHex(fields.commitment, 'bad_commitment', 32);
    level.set(place, leafNode(currency, balanceOf(fields.balance), commitment));
  }
  for (let height = 0; height < levels; height += 1) {
    const above = new Map();
    for (const place of level.keys()) {
      const parent = Math.floor(place / 2);
      if (above.has(parent)) continue;
      const left = level.get(2 * parent) ?? padding;
      const right = level.get(2 * parent + 1) ?? padding;
      above.set(parent, parentNode(left, right));
    }
    level = above;
    padding = parentNode(padding, padding);
  }
  const { hash, sum } = level.get(0) ?? padding;
  return { hash: hexFromBytes(hash), sum: sum.toString() };
}
