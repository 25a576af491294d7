// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

/// @title One rule for every signature: the key's own, or a contract that says it is good.
library Signatures {
    uint256 private constant KEY_LENGTH = 65;

    /// @dev 65 bytes are r, s, v of a key. Anything else, and 65 bytes that a contract's owner made, the signer is
    /// asked about (ERC-1271); who has no code says no. A high s, a v other than 27 and 28 and the short form of 64
    /// bytes recover nobody.
    function check(address signer, bytes32 digest, bytes calldata signature)
        internal
        view
        returns (bool good, address recovered)
    {
        if (signature.length == KEY_LENGTH) {
            (recovered,,) = ECDSA.tryRecoverCalldata(digest, signature);
            if (recovered == signer && signer != address(0)) return (true, recovered);
        }
        good = signer.code.length != 0
            && SignatureChecker.isValidERC1271SignatureNowCalldata(signer, digest, signature);
    }
}
