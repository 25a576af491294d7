// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Header} from "../interfaces/Header.sol";

/// @title EIP-712 struct hashes of a header and of the closing inside it.
/// @notice A closing is fixed when the settlement closes; the header adds how it came out. Both are hashed over the
/// same words, so a header that fails and is closed anew can be shown to carry the same closing.
library Headers {
    bytes32 internal constant HEADER_TYPEHASH = keccak256(
        "Header(bytes32 programme,uint64 number,uint32 attempt,bytes32 previousHeader,bytes32 previousClosing,"
        "uint64 closedAt,uint64 logSize,bytes32 logRoot,bytes32 claimRoot,bytes32 manifest,bytes gross,bytes supply,"
        "uint64 collateralBlock,bytes32 collateralBlockHash,bytes positions,bytes defaults)"
    );

    bytes32 internal constant CLOSING_TYPEHASH = keccak256(
        "Closing(bytes32 programme,uint64 number,bytes32 previousClosing,uint64 closedAt,uint64 logSize,"
        "bytes32 logRoot,bytes32 claimRoot,bytes32 manifest,bytes gross,bytes supply)"
    );

    /// @dev Encoded in two halves, because seventeen words at once are too deep for the stack. Every word is static,
    /// so the halves joined are the encoding of the whole.
    function headerHash(Header calldata h) internal pure returns (bytes32) {
        bytes memory head = abi.encode(
            HEADER_TYPEHASH,
            h.programme,
            h.number,
            h.attempt,
            h.previousHeader,
            h.previousClosing,
            h.closedAt,
            h.logSize,
            h.logRoot
        );
        bytes memory tail = abi.encode(
            h.claimRoot,
            h.manifest,
            keccak256(h.gross),
            keccak256(h.supply),
            h.collateralBlock,
            h.collateralBlockHash,
            keccak256(h.positions),
            keccak256(h.defaults)
        );
        return keccak256(bytes.concat(head, tail));
    }

    function closingHash(Header calldata h) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                CLOSING_TYPEHASH,
                h.programme,
                h.number,
                h.previousClosing,
                h.closedAt,
                h.logSize,
                h.logRoot,
                h.claimRoot,
                h.manifest,
                keccak256(h.gross),
                keccak256(h.supply)
            )
        );
    }
}
