/**
 * What a page imports to check a proof on the reader's own machine, without a key, a database or the operator's word.
 * The bytes are those of core/SPEC.md; Python and Solidity are its twins.
 */

export { ProofError, bytesFromHex, hexFromBytes } from './bytes.js';
export { verifyCounterfoil } from './counterfoil.js';
export { closingHash, headerDigest, headerHash } from './header.js';
export { keccak256 } from './keccak.js';
export { leafHash, merkleRoot, rootFromInclusion, verifyConsistency, verifyInclusion } from './log.js';
export { recoverSigner } from './secp256k1.js';
export { sha256 } from './sha256.js';
export { memberCommitment, sumTreeRoot, verifyLiability } from './sum_tree.js';
