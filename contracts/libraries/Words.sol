// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ISettlement} from "../interfaces/ISettlement.sol";

/// @title Fixed-width records packed one after another into bytes.
/// @notice Reads, never writes. Ids rise strictly in every list, so no party appears twice and the bytes of a given
/// list are unique.
library Words {
    uint256 internal constant POSITION = 16;
    uint256 internal constant SUPPLY = 160;
    uint256 internal constant DEFAULT = 2;
    uint256 internal constant SIGNATURE = 67;

    /// @dev How many records of `width` bytes there are; a broken record is refused.
    function count(bytes calldata list, uint256 width) internal pure returns (uint256) {
        if (list.length % width != 0) revert ISettlement.BrokenRecord(list.length, width);
        return list.length / width;
    }

    /// @dev Party `id` gains `net` micro-units, or owes them if negative.
    function position(bytes calldata list, uint256 i) internal pure returns (uint16 id, int112 net) {
        uint256 start = i * POSITION;
        uint128 word = uint128(bytes16(list[start:start + POSITION]));
        // both casts cut on purpose: two bytes of id, then fourteen of two's complement
        id = uint16(word >> 112);
        net = int112(uint112(word));
    }

    /// @dev Custodial `c`, withdrawn `w` and returned `r` points of one currency, with its liability root.
    function supply(bytes calldata list, uint256 i)
        internal
        pure
        returns (uint256 currency, bytes32 root, uint256 c, uint256 w, uint256 r)
    {
        uint256 start = i * SUPPLY;
        return abi.decode(list[start:start + SUPPLY], (uint256, bytes32, uint256, uint256, uint256));
    }

    function defaulter(bytes calldata list, uint256 i) internal pure returns (uint16 id) {
        uint256 start = i * DEFAULT;
        return uint16(bytes2(list[start:start + DEFAULT]));
    }

    function signature(bytes calldata list, uint256 i)
        internal
        pure
        returns (uint16 id, bytes32 r, bytes32 s, uint8 v)
    {
        bytes calldata record = list[i * SIGNATURE:(i + 1) * SIGNATURE];
        id = uint16(bytes2(record[:2]));
        r = bytes32(record[2:34]);
        s = bytes32(record[34:66]);
        v = uint8(record[66]);
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
        for (uint256 i = 0; i < positions.length / POSITION; ++i) {
            (uint16 other, int112 net) = position(positions, i);
            if (other == id) return net;
        }
        return 0;
    }
}
