// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title One currency's points on chain: an ERC-20 with permit, without decimals.
/// @notice Only Settlement changes the supply, and only when a settlement becomes final. Points that members leave
/// in custody sit at this contract itself, so the total supply is everything the programme owes in this currency.
///
/// What keeps it safe:
/// - Settlement deployed this contract in its own constructor, so `settlement` is not a choice of anyone's;
/// - nothing can be sent here or to Settlement by a plain transfer, so the balance found there is exactly what
///   Settlement put there, and bounds what can be claimed;
/// - there is no owner, no pause and no upgrade.
interface IPoints {
    /// @notice The supply is changed by Settlement alone.
    error OnlySettlement(address caller);

    /// @notice Points sent to `to` would be lost in custody: holders give back through Settlement.
    error NotARecipient(address to);

    /// @notice The Settlement that deployed this contract.
    function settlement() external view returns (address);

    /// @notice Mints `amount` into custody.
    function mint(uint256 amount) external;

    /// @notice Retires `amount` from custody.
    function retire(uint256 amount) external;
}
