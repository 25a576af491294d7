// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ISettlement} from "../interfaces/ISettlement.sol";

/// @title A settlement token with bad habits, for tests only.
/// @dev Any number of decimals, a fee on every transfer, a transfer that calls back into Settlement, and one that
/// answers false where others revert.
contract OddMoney is ERC20("Odd Money", "ODD") {
    uint8 private immutable _decimals;
    uint256 private immutable _fee;
    address private _reenter;
    bool private _sulks;

    constructor(uint8 decimals_, uint256 fee) {
        _decimals = decimals_;
        _fee = fee;
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    /// @dev The next transfer deposits again from inside.
    function reenter(address settlement) external {
        _reenter = settlement;
    }

    /// @dev From now on `transferFrom` moves nothing and says so.
    function sulk() external {
        _sulks = true;
    }

    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        return !_sulks && super.transferFrom(from, to, amount);
    }

    /// @dev As a false successor says it: the settlement token itself.
    function points(uint16) external view returns (address) {
        return address(this);
    }

    function decimals() public view override returns (uint8) {
        return _decimals;
    }

    function _update(address from, address to, uint256 amount) internal override {
        address target = _reenter;
        if (target != address(0)) {
            _reenter = address(0);
            ISettlement(target).depositCollateral(16, 1);
        }
        bool moved = from != address(0) && to != address(0);
        if (moved && _fee > 0) super._update(from, address(0), _fee);
        super._update(from, to, moved ? amount - _fee : amount);
    }
}
