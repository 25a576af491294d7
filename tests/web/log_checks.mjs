/**
 * The log, exhaustively up to 40 leaves. Run by proofs.test.mjs on the pages' modules and by canary.test.mjs on
 * changed copies: throws when a module accepts what it must refuse, or the other way round.
 */

import assert from 'node:assert/strict';

import { consistencyPath, entries, flipped, inclusionPath, leafHash, nodeHash, rootOf } from './reference.mjs';

const SIZES = 40;
const LEAVES = entries(SIZES);
const ROOTS = Array.from({ length: SIZES + 1 }, (_, size) => rootOf(LEAVES.slice(0, size)));
const STRANGER = flipped(LEAVES[0], 77);

/** Every path one step away from a right one: cut at both ends, extended at both ends, swapped, one bit off. */
function forgedPaths(path) {
  const forged = [
    [...path, STRANGER],
    [STRANGER, ...path],
  ];
  if (path.length > 0) forged.push(path.slice(1), path.slice(0, -1), [...path, path.at(-1)], [path[0], ...path]);
  for (let i = 0; i < path.length; i += 1) {
    forged.push(path.with(i, flipped(path[i], 8 * i)));
    if (i > 0) forged.push(path.with(i, path[i - 1]).with(i - 1, path[i]));
  }
  return forged;
}

export function checkInclusion({ merkleRoot, verifyInclusion, rootFromInclusion }) {
  for (let size = 0; size <= SIZES; size += 1) {
    const leaves = LEAVES.slice(0, size);
    const root = ROOTS[size];
    assert.deepEqual(merkleRoot(leaves), root, `root of ${size}`);
    for (let index = 0; index < size; index += 1) {
      const leaf = leaves[index];
      const path = inclusionPath(index, leaves);
      const where = `${index} of ${size}`;
      assert.equal(verifyInclusion(index, size, leaf, path, root), true, where);
      assert.equal(verifyInclusion(BigInt(index), BigInt(size), leaf, path, root), true, where);
      assert.deepEqual(rootFromInclusion(index, size, leafHash(leaf), path), root, where);

      for (const forged of forgedPaths(path))
        assert.equal(verifyInclusion(index, size, leaf, forged, root), false, where);
      assert.equal(verifyInclusion(index, size, flipped(leaf), path, root), false, where);
      assert.equal(verifyInclusion(index, size, leaf, path, flipped(root, 255)), false, where);
      assert.equal(verifyInclusion(index + size, size, leaf, path, root), false, where);
      for (let other = 0; other < size; other += 1) {
        if (other !== index)
          assert.equal(verifyInclusion(other, size, leaf, path, root), false, `${where} as ${other}`);
      }
      for (let other = 0; other <= SIZES; other += 1) {
        if (other === size) continue;
        assert.equal(verifyInclusion(index, size, leaf, path, ROOTS[other]), false, `${where}, root of ${other}`);
        // Another size with the same path can only hold where the walk is the same: it must then be the same root.
        const shape = inclusionShape(index, size) === inclusionShape(index, other);
        assert.equal(verifyInclusion(index, other, leaf, path, root), shape, `${where} in ${other}`);
      }
      // A node as a leaf: the two hashes below the first node, given as its data, with the rest of the path.
      if (path.length > 0) {
        const node = index % 2 === 0 ? [leafHash(leaf), path[0]] : [path[0], leafHash(leaf)];
        const joined = Uint8Array.from(Buffer.concat(node));
        const half = [index >> 1, (size + 1) >> 1];
        assert.equal(verifyInclusion(...half, joined, path.slice(1), root), false, `${where}, 64 bytes as a leaf`);
        assert.equal(
          verifyInclusion(...half, nodeHash(...node), path.slice(1), root),
          false,
          `${where}, node as a leaf`,
        );
      }
    }
  }
}

/** The sides of an inclusion walk as RFC 9162 takes it: what the size adds to the verdict. */
function inclusionShape(index, size) {
  let sides = '';
  if (index >= size) return 'none';
  for (let [place, last] = [index, size - 1]; last > 0; place >>= 1, last >>= 1) {
    if (place % 2 === 1) sides += 'L';
    else if (place < last) sides += 'R';
  }
  return sides;
}

export function checkConsistency({ verifyConsistency }) {
  for (let newSize = 0; newSize <= SIZES; newSize += 1) {
    const leaves = LEAVES.slice(0, newSize);
    const root = ROOTS[newSize];
    for (let oldSize = 0; oldSize <= newSize; oldSize += 1) {
      const where = `${oldSize} to ${newSize}`;
      const oldRoot = ROOTS[oldSize];
      const path = oldSize === 0 ? [] : consistencyPath(oldSize, leaves);
      assert.equal(verifyConsistency(oldSize, newSize, oldRoot, root, path), true, where);
      assert.equal(verifyConsistency(BigInt(oldSize), BigInt(newSize), oldRoot, root, path), true, where);

      for (const forged of forgedPaths(path)) {
        assert.equal(verifyConsistency(oldSize, newSize, oldRoot, root, forged), false, where);
      }
      assert.equal(verifyConsistency(oldSize, newSize, flipped(oldRoot), root, path), false, where);
      if (oldSize > 0) assert.equal(verifyConsistency(oldSize, newSize, oldRoot, flipped(root), path), false, where);
      if (oldSize < newSize) {
        assert.equal(verifyConsistency(newSize, oldSize, root, oldRoot, path), false, `${where}, backwards`);
        assert.equal(verifyConsistency(newSize, newSize, oldRoot, root, []), false, `${where}, same size`);
      }
      for (let other = 0; other < newSize; other += 1) {
        if (other === oldSize) continue;
        assert.equal(verifyConsistency(oldSize, newSize, ROOTS[other], root, path), false, `${where}, old is ${other}`);
        assert.equal(verifyConsistency(other, newSize, oldRoot, root, path), false, `${where}, said to be ${other}`);
      }
    }
  }
}
