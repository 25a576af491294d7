// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title One currency's points on chain: an ERC-20 with permit, without decimals.
/// @notice Only Settlement changes the supply, and only when a settlement becomes final. Points that members leave
/// in custody sit at this contract itself, points that can be claimed at Settlement, so the total supply is everything
/// the programme owes in this currency.
///
/// What keeps it safe:
/// - Settlement had this contract deployed, so `settlement` is not a choice of anyone's;
/// - nothing can be sent here or to Settlement by a plain transfer, so the balance found there is exactly what
///   Settlement put there, and bounds what can be claimed;
/// - there is no owner, no pause and no upgrade.
interface IPoints {
    /// @notice Only Settlement may do this.
    error OnlySettlement(address caller);

    /// @notice Points sent to `to` would be lost in custody: holders give back through Settlement.
    error NotARecipient(address to);

    /// @notice In a closed loop only who has claimed this currency before can receive it.
    error NotAMember(address to);

    /// @notice The Settlement whose currency this is.
    function settlement() external view returns (address);

    /// @notice The number by which Settlement knows this currency.
    function currency() external view returns (uint16);

    /// @notice Whether a recipient must have claimed before.
    function closedLoop() external view returns (bool);

    /// @notice The Settlement of the programme before this one, zero if there was none. What its holders swap may
    /// reach them in a closed loop too.
    function predecessor() external view returns (address);

    /// @notice Brings the total supply to `supply` in custody, then moves `claimable` from there to Settlement.
    function settle(uint256 supply, uint256 claimable) external;

    /// @notice Moves `amount` from its holder into custody.
    function take(address from, uint256 amount) external;
}
