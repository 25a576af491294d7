// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {IClaims} from "./interfaces/IClaims.sol";
import {IPoints} from "./interfaces/IPoints.sol";

contract Points is IPoints, ERC20, ERC20Permit {
    /// @inheritdoc IPoints
    address public immutable override settlement;
    /// @inheritdoc IPoints
    uint16 public immutable override currency;
    /// @inheritdoc IPoints
    bool public immutable override closedLoop;
    /// @inheritdoc IPoints
    address public immutable override predecessor;

    constructor(
        string memory name_,
        string memory symbol_,
        uint16 currency_,
        address settlement_,
        bool closedLoop_,
        address predecessor_
    ) ERC20(name_, symbol_) ERC20Permit(name_) {
        settlement = settlement_;
        currency = currency_;
        closedLoop = closedLoop_;
        predecessor = predecessor_;
    }

    modifier onlySettlement() {
        if (msg.sender != settlement) revert OnlySettlement(msg.sender);
        _;
    }

    /// @inheritdoc IPoints
    function settle(uint256 supply, uint256 claimable) external override onlySettlement {
        uint256 before = totalSupply();
        if (supply > before) super._update(address(0), address(this), supply - before);
        else if (supply < before) super._update(address(this), address(0), before - supply);
        if (claimable != 0) super._update(address(this), settlement, claimable);
    }

    /// @inheritdoc IPoints
    function take(address from, uint256 amount) external override onlySettlement {
        super._update(from, address(this), amount);
    }

    /// @notice A point is whole: there are no fractions to show.
    function decimals() public pure override returns (uint8) {
        return 0;
    }

    /// @dev Every transfer by a holder comes through here, claims too: there Settlement is the holder. What moves in
    /// and out of custody does not.
    function _update(address from, address to, uint256 amount) internal override {
        if (to == address(this) || to == settlement) revert NotARecipient(to);
        if (closedLoop && from != predecessor && IClaims(settlement).claimed(to, currency) == 0) revert NotAMember(to);
        super._update(from, to, amount);
    }
}
