// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {IPoints} from "./interfaces/IPoints.sol";

contract Points is IPoints, ERC20, ERC20Permit {
    /// @inheritdoc IPoints
    address public immutable override settlement;

    constructor(string memory name_, string memory symbol_) ERC20(name_, symbol_) ERC20Permit(name_) {
        settlement = msg.sender;
    }

    modifier onlySettlement() {
        if (msg.sender != settlement) revert OnlySettlement(msg.sender);
        _;
    }

    /// @inheritdoc IPoints
    function mint(uint256 amount) external override onlySettlement {
        _mint(address(this), amount);
    }

    /// @inheritdoc IPoints
    function retire(uint256 amount) external override onlySettlement {
        _burn(address(this), amount);
    }

    /// @notice A point is whole: there are no fractions to show.
    function decimals() public pure override returns (uint8) {
        return 0;
    }

    function _update(address from, address to, uint256 amount) internal override {
        bool minted = from == address(0);
        if (!minted && (to == address(this) || to == settlement)) revert NotARecipient(to);
        super._update(from, to, amount);
    }
}
