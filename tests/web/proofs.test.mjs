import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as proof from '../../src/counterfoil/web/static/proof.js';
import { checkCounterfoils, checkRecovery } from './counterfoil_checks.mjs';
import { checkConsistency, checkInclusion } from './log_checks.mjs';
import { copy, entries, flipped, hex, leafHash, nodeHash, sha256, vectors } from './reference.mjs';
import { checkLiabilities } from './sum_tree_checks.mjs';

test('inclusion: every leaf of every size up to 40, and every forgery one step away', () => checkInclusion(proof));
test('consistency: every pair of sizes up to 40, and every forgery one step away', () => checkConsistency(proof));
test('counterfoils: the right ones hold, every changed one is refused by name', () => checkCounterfoils(proof));
test('recovery: the signer of eth_account, and no second signature', () => checkRecovery(proof));
test('liabilities: the right ones hold, every changed one is refused by name', () => checkLiabilities(proof));

test('a log of 2^53 - 1 leaves is walked without losing a bit', () => {
  const size = Number.MAX_SAFE_INTEGER;
  const [leaf, ...siblings] = entries(54);
  for (const index of [0, 2 ** 52 - 1, 2 ** 52, size - 1]) {
    const sides = [...Array(53).keys()].map((height) => {
      const place = BigInt(index) >> BigInt(height);
      const last = BigInt(size - 1) >> BigInt(height);
      return place % 2n === 1n ? 'left' : place < last ? 'right' : 'none';
    });
    let root = leafHash(leaf);
    const path = [];
    for (const [height, side] of sides.entries()) {
      if (side === 'none') continue;
      path.push(siblings[height]);
      root = side === 'left' ? nodeHash(siblings[height], root) : nodeHash(root, siblings[height]);
    }
    assert.equal(proof.verifyInclusion(index, size, leaf, path, root), true);
    assert.equal(proof.verifyInclusion(BigInt(index), BigInt(size), leaf, path, root), true);
    assert.equal(proof.verifyInclusion(index, size, leaf, path.slice(1), root), false);
    assert.equal(proof.verifyInclusion(index, size + 1, leaf, path, root), false);
    assert.equal(proof.verifyInclusion(index, 2n ** 54n, leaf, path, root), false);
  }
});

test('what is not 32 bytes, a list or an integer is refused, and nothing is thrown', () => {
  const [leaf, sibling] = entries(2);
  const root = nodeHash(leafHash(leaf), leafHash(sibling));
  const path = [leafHash(sibling)];
  assert.equal(proof.verifyInclusion(0, 2, leaf, path, root), true);
  const strange = [
    undefined,
    null,
    '',
    hex(leaf),
    [],
    {},
    7,
    leaf.subarray(1),
    new Uint8Array(64),
    [...leaf],
    leaf.buffer,
  ];
  for (const value of strange) {
    assert.equal(proof.verifyInclusion(0, 2, value, path, root), false);
    assert.equal(proof.verifyInclusion(0, 2, leaf, path, value), false);
    assert.equal(proof.verifyInclusion(0, 2, leaf, value, root), false);
    assert.equal(proof.verifyInclusion(0, 2, leaf, [value], root), false);
    assert.equal(proof.verifyConsistency(1, 2, value, root, path), false);
    assert.equal(proof.verifyConsistency(1, 2, leafHash(leaf), root, [value]), false);
    if (value !== 7) assert.throws(() => proof.merkleRoot([value]), new proof.ProofError('bad_leaf'));
  }
  for (const number of [-1, 0.5, NaN, Infinity, '0', null, undefined, -1n, 2n ** 53n, [0], { valueOf: () => 0 }]) {
    assert.equal(proof.verifyInclusion(number, 2, leaf, path, root), false);
    assert.equal(proof.verifyInclusion(0, number, leaf, path, root), false);
    assert.equal(proof.verifyConsistency(number, 2, leafHash(leaf), root, path), false);
    assert.equal(proof.verifyConsistency(1, number, leafHash(leaf), root, path), false);
  }
  assert.equal(proof.verifyInclusion(0, 2, leaf, Array(1), root), false); // a hole
  assert.throws(() => proof.merkleRoot(7), new proof.ProofError('bad_leaf'));
});

test('the empty log begins every log, and nothing but its own root is its root', () => {
  const empty = sha256();
  assert.deepEqual(proof.merkleRoot([]), empty);
  assert.equal(proof.verifyConsistency(0, 0, empty, empty, []), true);
  assert.equal(proof.verifyConsistency(0, 0, flipped(empty), flipped(empty), []), false);
  assert.equal(proof.verifyConsistency(0, 7, empty, flipped(empty), []), true);
  assert.equal(proof.verifyConsistency(0, 7, empty, flipped(empty), [empty]), false);
});

test('whatever is handed in as a proof, the answer is a verdict', () => {
  const [{ counterfoil, signer }] = vectors.counterfoils;
  const { hash, sum, proofs } = vectors.sum_trees[2];
  const trap = new Proxy(
    {},
    {
      get: () => {
        throw new Error('trap');
      },
    },
  );
  const strange = [
    undefined,
    null,
    7,
    7n,
    'x',
    true,
    [],
    {},
    () => {},
    Symbol('x'),
    new Date(0),
    Object.create(null),
    trap,
  ];
  for (const value of strange) {
    assert.equal(proof.verifyCounterfoil(value, signer).ok, false);
    assert.equal(proof.verifyLiability(value, hash, sum).ok, false);
    for (const name of Object.keys(counterfoil)) {
      const { ok, reason } = proof.verifyCounterfoil({ ...copy(counterfoil), [name]: value }, signer);
      if (!(name === 'path' && Array.isArray(value))) assert.equal(ok, false, name); // one entry: its path is empty
      if (!ok && value !== trap) assert.notEqual(reason, 'malformed', `${name} is named`);
    }
    for (const name of Object.keys(proofs[0])) {
      const { ok, reason } = proof.verifyLiability({ ...copy(proofs[0]), [name]: value }, hash, sum);
      if (!(name === 'place' && value === 7)) assert.equal(ok, false, name);
      if (!ok && value !== trap) assert.notEqual(reason, 'malformed', `${name} is named`);
    }
    const siblings = copy(proofs[0].siblings).with(1, value);
    assert.equal(proof.verifyLiability({ ...copy(proofs[0]), siblings }, hash, sum).ok, false);
  }
});

test('a leaf is no node and a node is no leaf in the liability tree', () => {
  const { currency, depth, leaves, hash, sum, proofs } = vectors.sum_trees[2];
  const [first, second] = leaves;
  const small = proof.sumTreeRoot(currency, 0, [first]);
  assert.equal(proof.verifyLiability({ ...proofs[0], depth: 0, siblings: [] }, small.hash, small.sum).ok, true);
  // The two leaves below a node, given as one leaf with their joint balance, one level up.
  const joined = {
    ...proofs[0],
    place: proofs[0].place >> 1,
    depth: depth - 1,
    balance: String(BigInt(first.balance) + BigInt(second.balance)),
    siblings: proofs[0].siblings.slice(1),
  };
  for (const commitment of [hash, first.commitment, proofs[0].siblings[0].hash, small.hash]) {
    assert.deepEqual(proof.verifyLiability({ ...joined, commitment }, hash, sum), {
      ok: false,
      reason: 'wrong_root',
    });
  }
  // A leaf given as a node: its parts as children of one more level.
  const deeper = {
    ...proofs[0],
    place: proofs[0].place * 2,
    depth: depth + 1,
    siblings: [{ hash: first.commitment, sum: '0' }, ...proofs[0].siblings],
  };
  assert.deepEqual(proof.verifyLiability(deeper, hash, sum), { ok: false, reason: 'wrong_root' });
});

test('a liability tree with a bad leaf has no root', () => {
  const leaf = { place: 1, balance: '5', commitment: `0x${'11'.repeat(32)}` };
  const refused = (code, currency, depth, leaves) =>
    assert.throws(() => proof.sumTreeRoot(currency, depth, leaves), new proof.ProofError(code));
  refused('same_place', 1, 3, [leaf, { ...leaf, balance: '6' }]);
  refused('zero_balance', 1, 3, [{ ...leaf, balance: '0' }]);
  refused('bad_balance', 1, 3, [{ ...leaf, balance: '-5' }]);
  refused('bad_place', 1, 0, [leaf]);
  refused('bad_depth', 1, 49, []);
  refused('bad_currency', -1, 3, []);
  refused('bad_leaves', 1, 3, null);
  refused('bad_leaves', 1, 3, [null]);
  refused('bad_commitment', 1, 3, [{ ...leaf, commitment: '0x11' }]);
  const half = String(2n ** 127n);
  refused('sum_out_of_range', 1, 3, [
    { ...leaf, balance: half },
    { ...leaf, place: 7, balance: half },
  ]);
  assert.equal(proof.sumTreeRoot(1, 48, [{ ...leaf, place: 2 ** 48 - 1 }]).sum, '5');
});

test('place and count of a counterfoil are walking instructions, not promises', () => {
  const { counterfoil, signer } = vectors.counterfoils[1]; // the second of two entries
  const walkedAs = (place, count) => proof.verifyCounterfoil({ ...counterfoil, place, count }, signer);
  assert.equal(walkedAs(1, 2).ok, true);
  assert.equal(walkedAs(2, 3).ok, true); // the same walk: known, and why nothing may rest on these two numbers
  assert.deepEqual(walkedAs(0, 2), { ok: false, reason: 'wrong_root' });
  assert.deepEqual(walkedAs(1, 3), { ok: false, reason: 'bad_path' });
});
