// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

/// @title An account that is a contract, for tests only: what its owner's key signed is good, with any tail.
/// @dev It can be told to refuse, or to revert.
contract Purse is IERC1271 {
    address private immutable _owner;
    bool private _refuses;
    bool private _reverts;

    constructor(address owner) {
        _owner = owner;
    }

    function behave(bool refuses, bool reverts) external {
        _refuses = refuses;
        _reverts = reverts;
    }

    /// @dev Any call, so that it can be a partner's signer too.
    function call(address to, bytes calldata data) external returns (bytes memory answer) {
        bool done;
        (done, answer) = to.call(data);
        if (done) return answer;
        assembly ("memory-safe") {
            revert(add(answer, 32), mload(answer))
        }
    }

    function isValidSignature(bytes32 hash, bytes calldata signature) external view override returns (bytes4) {
        require(!_reverts);
        address signer = ECDSA.recover(hash, signature[:65]);
        return signer == _owner && !_refuses ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }
}
