// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ISettlement} from "../interfaces/ISettlement.sol";

/// @title Records packed one after another into bytes: of fixed width, but for signatures.
/// @notice Ids rise strictly in every list, so no party appears twice and the bytes of a given
/// list are unique. Who reads a record has counted them before: that it is there is not checked again.
library Words {
    uint256 internal constant POSITION = 16;
    uint256 internal constant SUPPLY = 160;
    uint256 internal constant DEFAULT = 2;
    /// @dev What stands before a signature: uint16 id, uint16 length.
    uint256 private constant SIGNATURE_HEAD = 4;

    /// @dev How many records of `width` bytes there are; a broken record is refused.
    function count(bytes calldata list, uint256 width) internal pure returns (uint256) {
        if (list.length % width != 0) revert ISettlement.BrokenRecord(list.length, width);
        return list.length / width;
    }

    /// @dev From `start`: party `id` gains `net` micro-units, or owes them if negative.
    function position(bytes calldata list, uint256 start) internal pure returns (uint16 id, int112 net) {
        uint256 word = _word(list, start);
        // both casts cut on purpose: two bytes of id, then fourteen of two's complement
        id = uint16(word >> 240);
        net = int112(uint112(word >> 128));
    }

    /// @dev Writes a position and the collateral after it as one word, at `start` of a list that is long enough.
    function putSettled(bytes memory list, uint256 start, uint16 id, int112 net, uint112 left) internal pure {
        uint256 word = (uint256(id) << 240) | (uint256(uint112(net)) << 128) | (uint256(left) << 16);
        assembly ("memory-safe") {
            mstore(add(add(list, 32), start), word)
        }
    }

    /// @dev Custodial `c`, withdrawn `w` and returned `r` points of one currency, behind its liability root.
    function supply(bytes calldata list, uint256 i)
        internal
        pure
        returns (uint256 currency, uint256 c, uint256 w, uint256 r)
    {
        uint256 start = i * SUPPLY;
        currency = _word(list, start);
        c = _word(list, start + 64);
        w = _word(list, start + 96);
        r = _word(list, start + 128);
    }

    function defaulter(bytes calldata list, uint256 i) internal pure returns (uint16 id) {
        id = uint16(_word(list, i * DEFAULT) >> 240);
    }

    /// @dev The signature that starts at `start`, whose it is, and where the next one starts.
    function signature(bytes calldata list, uint256 start)
        internal
        pure
        returns (uint16 id, bytes calldata signed, uint256 end)
    {
        uint256 word = _word(list, start);
        id = uint16(word >> 240);
        uint256 length = uint16(word >> 224);
        unchecked {
            end = start + SIGNATURE_HEAD + length;
        }
        if (end > list.length) revert ISettlement.BrokenRecord(list.length, 0);
        assembly ("memory-safe") {
            signed.offset := add(add(list.offset, start), SIGNATURE_HEAD)
            signed.length := length
        }
    }

    /// @dev The id that follows `previous` must be greater.
    function requireRising(uint256 previous, uint256 id) internal pure {
        if (id <= previous) revert ISettlement.UnsortedId(previous, id);
    }

    /// @dev Whether the rising list of defaults names `id`. The list is short: a default is an accident.
    function names(bytes calldata defaults, uint16 id) internal pure returns (bool) {
        for (uint256 i = 0; i < defaults.length / DEFAULT; ++i) {
            if (defaulter(defaults, i) == id) return true;
        }
        return false;
    }

    /// @dev The position of `id`, zero if it has none.
    function netOf(bytes calldata positions, uint16 id) internal pure returns (int112) {
        for (uint256 start = 0; start < positions.length; start += POSITION) {
            (uint16 other, int112 net) = position(positions, start);
            if (other == id) return net;
        }
        return 0;
    }

    /// @dev 32 bytes from `start`; what lies behind the list is cut off by who asks.
    function _word(bytes calldata list, uint256 start) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := calldataload(add(list.offset, start))
        }
    }
}
