import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as proof from '../../src/counterfoil/web/static/proof.js';
import { signedDigest, structHash, typeHash } from '../../src/counterfoil/web/static/typed_data.js';
import { copy, flippedHex, hex, unhex, vectors } from './reference.mjs';

const utf8 = (text) => new TextEncoder().encode(text);
const hashed = (text) => proof.keccak256(utf8(text));
const padded = (address) => unhex(`0x${'00'.repeat(12)}${address.slice(2)}`);
const one = unhex(`0x${'00'.repeat(31)}01`);

test("the mail of EIP-712's own example", () => {
  const person = 'Person(string name,address wallet)';
  const personHash = (name, wallet) => structHash(typeHash(person), [hashed(name), padded(wallet)]);
  const cow = '0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826';
  const domain = structHash(
    typeHash('EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)'),
    [hashed('Ether Mail'), hashed('1'), one, padded('0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC')],
  );
  const mail = structHash(typeHash(`Mail(Person from,Person to,string contents)${person}`), [
    personHash('Cow', cow),
    personHash('Bob', '0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB'),
    hashed('Hello, Bob!'),
  ]);
  assert.equal(hex(domain), '0xf2cee375fa42b42143804025fc449deafd50cc031ca257e0b194a650a912090f');
  assert.equal(hex(mail), '0xc52c0ee5d84264471806290a3f2c4cecfc5490626bf912d01f240d7a274b371e');
  const digest = hex(signedDigest(domain, mail));
  assert.equal(digest, '0xbe609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2');
  const signature =
    '0x4355c47d63924e8a72e509b65029052eb6c299d53a04e167c5775fd466751c9d' +
    '07299936d304c153f6443dfa05f40ff007d72911b6f72307f996231605b915621c';
  assert.equal(proof.recoverSigner(digest, signature), cow.toLowerCase());
});

test('headers, digests and closings are those of eth_account', () => {
  for (const vector of vectors.headers) {
    assert.equal(proof.headerHash(vector.header), vector.hash);
    assert.equal(proof.closingHash(vector.header), vector.closing_hash);
    assert.equal(proof.headerDigest(vector.header, vector.chain_id, vector.address), vector.digest);
    assert.equal(
      proof.headerDigest(vector.header, BigInt(vector.chain_id), vector.address.toLowerCase()),
      vector.digest,
    );
    assert.equal(proof.recoverSigner(vector.digest, vector.signature), vector.signer.toLowerCase());
  }
});

test('every field, the chain and the contract change the digest', () => {
  const [, { header, chain_id: chainId, address, digest }] = vectors.headers;
  const digests = new Set([digest]);
  for (const [name, value] of Object.entries(header)) {
    const changed = { ...header, [name]: typeof value === 'number' ? value - 1 : flippedHex(value) };
    digests.add(proof.headerDigest(changed, chainId, address));
  }
  digests.add(proof.headerDigest(header, chainId + 1, address));
  digests.add(proof.headerDigest(header, chainId, flippedHex(address)));
  assert.equal(digests.size, 1 + 16 + 2);
});

test('a closing is blind to the outcome and the attempt, and to nothing else', () => {
  const [, { header, closing_hash: closingHash }] = vectors.headers;
  const outcome = ['attempt', 'previous_header', 'collateral_block', 'collateral_block_hash', 'positions', 'defaults'];
  for (const [name, value] of Object.entries(header)) {
    const changed = { ...header, [name]: typeof value === 'number' ? value - 1 : flippedHex(value) };
    assert.equal(proof.closingHash(changed) === closingHash, outcome.includes(name), name);
  }
});

test('a field that is not of its type is named', () => {
  const [, { header, chain_id: chainId, address }] = vectors.headers;
  for (const [name, value] of Object.entries(header)) {
    const wrong =
      typeof value === 'number' ? ['1', -1, 1.5, 2 ** 53, null, undefined] : [7, null, undefined, '0x0', '00', '0X00'];
    for (const bad of wrong) {
      const changed = { ...copy(header), [name]: bad };
      assert.throws(() => proof.headerHash(changed), new proof.ProofError(`bad_${name}`), `${name}: ${bad}`);
    }
  }
  assert.throws(() => proof.headerHash({ ...header, attempt: 2 ** 32 }), new proof.ProofError('bad_attempt'));
  for (const bad of [null, undefined, 'header', [header], 7]) {
    assert.throws(() => proof.headerHash(bad), new proof.ProofError('malformed'));
    assert.throws(() => proof.closingHash(bad), new proof.ProofError('malformed'));
  }
  for (const bad of [-1, -1n, 1.5, '1', 2n ** 256n, null]) {
    assert.throws(() => proof.headerDigest(header, bad, address), new proof.ProofError('bad_chain_id'));
  }
  for (const bad of ['', address.slice(2), `${address}00`, null]) {
    assert.throws(() => proof.headerDigest(header, chainId, bad), new proof.ProofError('bad_address'));
  }
});
