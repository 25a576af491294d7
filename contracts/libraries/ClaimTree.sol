// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Proofs in OpenZeppelin's StandardMerkleTree: leaves hashed twice, pairs sorted.
/// @dev By hand, because proofs are most of what a claim costs beside storage: half the gas of the library's loop.
library ClaimTree {
    /// @dev The root that a leaf and its proof lead to. An inner node is the hash of 64 bytes and a leaf that of 32, so
    /// neither passes for the other; and the hash of something is never zero, so an empty root proves nothing.
    function root(address account, uint16 currency, uint256 cumulative, bytes32[] calldata proof)
        internal
        pure
        returns (bytes32 hash)
    {
        assembly ("memory-safe") {
            // abi.encode of the three, behind what is allocated and without allocating it
            let leaf := mload(64)
            mstore(leaf, account)
            mstore(add(leaf, 32), currency)
            mstore(add(leaf, 64), cumulative)
            mstore(0, keccak256(leaf, 96))
            hash := keccak256(0, 32)

            let node := proof.offset
            for { let end := add(node, shl(5, proof.length)) } lt(node, end) { node := add(node, 32) } {
                let sibling := calldataload(node)
                // the smaller of both goes to 0, the other to 32
                let place := shl(5, gt(hash, sibling))
                mstore(place, hash)
                mstore(xor(place, 32), sibling)
                hash := keccak256(0, 64)
            }
        }
    }
}
