/**
 * EIP-712: what a wallet or a contract hashes before it signs. Every struct here is a row of 32-byte words;
 * a dynamic `bytes` field enters as its Keccak-256.
 */

import { ascii, concat } from './bytes.js';
import { keccak256 } from './keccak.js';

const NAME_HASH = keccak256(ascii('Counterfoil'));
const VERSION_HASH = keccak256(ascii('1'));
const SIGNED_DATA_PREFIX = Uint8Array.of(0x19, 0x01);

/** @param {string} type such as `Closing(bytes32 programme,uint64 number)` @returns {Uint8Array} 32 bytes */
export function typeHash(type) {
  return keccak256(ascii(type));
}

/** @param {Uint8Array} type from typeHash @param {Uint8Array[]} words 32 bytes each @returns {Uint8Array} 32 bytes */
export function structHash(type, words) {
  return keccak256(concat(type, ...words));
}

/**
 * The domain of this project: its name and version, then what tells one book or contract from another.
 * @param {Uint8Array} type @param {Uint8Array[]} words those after name and version @returns {Uint8Array} 32 bytes
 */
export function domainSeparator(type, words) {
  return structHash(type, [NAME_HASH, VERSION_HASH, ...words]);
}

/** @param {Uint8Array} domain @param {Uint8Array} struct @returns {Uint8Array} 32 bytes: what is signed */
export function signedDigest(domain, struct) {
  return keccak256(concat(SIGNED_DATA_PREFIX, domain, struct));
}
