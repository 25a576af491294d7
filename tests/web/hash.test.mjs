import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';

import { keccak256 } from '../../src/counterfoil/web/static/keccak.js';
import { sha256 } from '../../src/counterfoil/web/static/sha256.js';
import { hex, vectors } from './reference.mjs';

const utf8 = (text) => new TextEncoder().encode(text);
const MILLION_A = new Uint8Array(1_000_000).fill(0x61);

/** FIPS 180-4 examples, as NIST publishes them. */
const SHA256_OF = [
  ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  [
    'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
    '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
  ],
  [
    'abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu',
    'cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1',
  ],
];

/** Keccak-256 with the original padding; the first two are in the yellow paper's and Solidity's documentation. */
const KECCAK_OF = [
  ['', 'c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470'],
  ['abc', '4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45'],
  ['transfer(address,uint256)', 'a9059cbb2ab09eb219583f4a59a5d0623ade346d962bcd4e46b11da047c9049b'],
  ['The quick brown fox jumps over the lazy dog', '4d741b6f1eb29cb2a9b9911c82f56fa8d73b04959d3d9d222895df6c0b28aa15'],
];

test('SHA-256 gives the published answers', () => {
  for (const [text, digest] of SHA256_OF) assert.equal(hex(sha256(utf8(text))), `0x${digest}`);
  const ofMillion = '0xcdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0';
  assert.equal(hex(sha256(MILLION_A)), ofMillion);
});

test("SHA-256 agrees with Node's at every length over four blocks, whatever the buffer it is a view of", () => {
  const buffer = Uint8Array.from({ length: 300 }, (_, i) => i * 7 + 3);
  for (let length = 0; length <= 257; length += 1) {
    const message = buffer.subarray(11, 11 + length);
    assert.equal(hex(sha256(message)), `0x${createHash('sha256').update(message).digest('hex')}`, `${length} bytes`);
  }
});

test('Keccak-256 gives the published answers', () => {
  for (const [text, digest] of KECCAK_OF) assert.equal(hex(keccak256(utf8(text))), `0x${digest}`);
  assert.equal(hex(keccak256(MILLION_A)), vectors.hashes.keccak_million_a);
});

test("Keccak-256 agrees with Python's at every length over two blocks", () => {
  let chained = new Uint8Array(0);
  for (let length = 0; length <= 300; length += 1) {
    const message = new Uint8Array(chained.length + length);
    message.set(chained);
    for (let i = 0; i < length; i += 1) message[chained.length + i] = i % 256;
    chained = keccak256(message);
  }
  assert.equal(hex(chained), vectors.hashes.keccak_chain_300);
});
