/**
 * The header of a settlement, as the partners sign it, and its closing: the part that is fixed when the books close.
 *
 * @typedef {object} Header as JSON: hex for bytes, JSON integers for numbers; a name that is not listed is ignored
 * @property {string} programme 32 bytes
 * @property {number} number of the settlement
 * @property {number} attempt
 * @property {string} previous_header 32 bytes
 * @property {string} previous_closing 32 bytes
 * @property {number} closed_at the integer that is signed (uint64), not a date
 * @property {number} log_size leaves
 * @property {string} log_root 32 bytes
 * @property {string} claim_root 32 bytes
 * @property {string} manifest 32 bytes
 * @property {string} gross packed bytes, any length
 * @property {string} supply packed bytes, any length
 * @property {number} collateral_block
 * @property {string} collateral_block_hash 32 bytes
 * @property {string} positions packed bytes, any length
 * @property {string} defaults packed bytes, any length
 */

import { bytesFromHex, concat, hexFromBytes, record, refuse, safeNatural, uint256, word } from './bytes.js';
import { keccak256 } from './keccak.js';
import { domainSeparator, signedDigest, structHash, typeHash } from './typed_data.js';

/** Names and Solidity types in the signed order. */
const HEADER_FIELDS = [
  ['programme', 'bytes32'],
  ['number', 'uint64'],
  ['attempt', 'uint32'],
  ['previousHeader', 'bytes32'],
  ['previousClosing', 'bytes32'],
  ['closedAt', 'uint64'],
  ['logSize', 'uint64'],
  ['logRoot', 'bytes32'],
  ['claimRoot', 'bytes32'],
  ['manifest', 'bytes32'],
  ['gross', 'bytes'],
  ['supply', 'bytes'],
  ['collateralBlock', 'uint64'],
  ['collateralBlockHash', 'bytes32'],
  ['positions', 'bytes'],
  ['defaults', 'bytes'],
];
const OUTCOME = new Set([
  'attempt',
  'previousHeader',
  'collateralBlock',
  'collateralBlockHash',
  'positions',
  'defaults',
]);
const CLOSING_FIELDS = HEADER_FIELDS.filter(([name]) => !OUTCOME.has(name));

/** @param {string} name @param {string[][]} fields @returns {Uint8Array} the EIP-712 type hash */
function typeHashOf(name, fields) {
  return typeHash(`${name}(${fields.map(([field, type]) => `${type} ${field}`).join(',')})`);
}

const DOMAIN_TYPE = typeHash('EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)');
const HEADER_TYPE = typeHashOf('Header', HEADER_FIELDS);
const CLOSING_TYPE = typeHashOf('Closing', CLOSING_FIELDS);
const ADDRESS_PADDING = new Uint8Array(12);

const snakeCase = (/** @type {string} */ name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** @param {unknown} header @param {string[][]} fields @returns {Uint8Array[]} one word a field */
function wordsOf(header, fields) {
  const values = record(header, 'malformed');
  return fields.map(([field, type]) => {
    const name = snakeCase(field);
    const value = values[name];
    const code = `bad_${name}`;
    if (type === 'bytes32') return bytesFromHex(value, code, 32);
    if (type === 'bytes') return keccak256(bytesFromHex(value, code));
    const natural = safeNatural(value, code);
    if (type === 'uint32' && natural >= 2 ** 32) refuse(code);
    return word(natural);
  });
}

/**
 * @param {Header} header
 * @returns {string} the struct hash as hex; the next header names it as `previous_header`
 * @throws {import('./bytes.js').ProofError} malformed, or bad_ and the name of the field
 */
export function headerHash(header) {
  return hexFromBytes(structHash(HEADER_TYPE, wordsOf(header, HEADER_FIELDS)));
}

/**
 * @param {Header} header only the fields of the closing are read
 * @returns {string} the struct hash as hex; the next closing names it as `previous_closing`
 * @throws {import('./bytes.js').ProofError} malformed, or bad_ and the name of the field
 */
export function closingHash(header) {
  return hexFromBytes(structHash(CLOSING_TYPE, wordsOf(header, CLOSING_FIELDS)));
}

/**
 * What a partner signs over a header, for one contract on one chain.
 * @param {Header} header
 * @param {number | bigint} chainId
 * @param {string} address of Settlement, 20 bytes as hex
 * @returns {string} 32 bytes as hex
 * @throws {import('./bytes.js').ProofError} bad_chain_id, bad_address, malformed, or bad_ and the name of the field
 */
export function headerDigest(header, chainId, address) {
  const contract = concat(ADDRESS_PADDING, bytesFromHex(address, 'bad_address', 20));
  const domain = domainSeparator(DOMAIN_TYPE, [word(uint256(chainId, 'bad_chain_id')), contract]);
  return hexFromBytes(signedDigest(domain, structHash(HEADER_TYPE, wordsOf(header, HEADER_FIELDS))));
}
