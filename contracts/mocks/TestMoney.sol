// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title The sandbox's settlement token: worth nothing, free for all.
/// @dev Never deploy a programme with real points on it: anyone can mint anyone's collateral.
contract TestMoney is ERC20("Test Money", "TEST") {
    /// @notice The faucet.
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function decimals() public pure override returns (uint8) {
        return 6;
    }
}
