// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

/// @title The EIP-712 domain in which everything is signed: this contract, on this chain.
/// @dev Name and version are fixed, so this is a quarter of the code that any name would take.
abstract contract Domain is IERC5267 {
    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    string private constant NAME = "Counterfoil";
    string private constant VERSION = "1";

    uint256 private immutable _chain;
    bytes32 private immutable _separator;

    constructor() {
        _chain = block.chainid;
        _separator = _build();
    }

    /// @inheritdoc IERC5267
    function eip712Domain()
        external
        view
        override
        returns (
            bytes1 fields,
            string memory name,
            string memory version,
            uint256 chainId,
            address verifyingContract,
            bytes32 salt,
            uint256[] memory extensions
        )
    {
        return (hex"0f", NAME, VERSION, block.chainid, address(this), 0, new uint256[](0));
    }

    /// @dev What is signed. A chain that split off has another id, and another domain with it.
    function _digest(bytes32 structHash) internal view returns (bytes32) {
        bytes32 separator = block.chainid == _chain ? _separator : _build();
        return MessageHashUtils.toTypedDataHash(separator, structHash);
    }

    function _build() private view returns (bytes32) {
        return keccak256(
            abi.encode(
                DOMAIN_TYPEHASH, keccak256(bytes(NAME)), keccak256(bytes(VERSION)), block.chainid, address(this)
            )
        );
    }
}
