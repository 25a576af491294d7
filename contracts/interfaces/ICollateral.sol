// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Header} from "./Header.sol";

/// @title What each party has deposited, and how it gets it back.
/// @notice A party's **free** collateral is what exceeds its floor and the debit that is signed against it: the debit
/// in the standing proposal, or in the last final header once the programme fell silent. Only free collateral leaves.
interface ICollateral {
    /// @notice The party's free collateral is less than this, or there is none to withdraw.
    error NotFree(uint16 id, uint256 free, uint256 amount);
    /// @notice Nothing was requested for this party.
    error NothingRequested(uint16 id);
    /// @notice A request waits until a settlement after it is final.
    error RequestWaits(uint64 number);

    /// @notice The party named another payee, who alone can name the next.
    error NotThePayee(uint16 id, address given);

    event CollateralDeposited(uint16 indexed id, address indexed from, uint256 amount, uint256 collateral);
    /// @notice Payable once settlement `number` is final.
    event CollateralRequested(uint16 indexed id, address to, uint256 amount, uint64 number);
    event CollateralWithdrawn(uint16 indexed id, address indexed to, uint256 amount, uint256 collateral);
    event PayeeChanged(uint16 indexed id, address payee);
    /// @notice A challenge's bond was taken (negative), given back, or fell to the operator.
    event BondMoved(uint16 indexed id, int256 amount, uint256 collateral);

    /// @notice Adds to the collateral of any known party, taken from the caller by allowance.
    /// @dev Credits what arrived, which is less than `amount` if the token keeps a fee.
    function depositCollateral(uint16 id, uint256 amount) external;

    /// @notice Asks for collateral back, to be paid to `to`. By the partner's signer, or by the operator for id 2; what
    /// belongs to the other reserved ids moves by positions alone.
    /// @dev Replaces the party's last request, and waits anew: for the next settlement, so that what was earned by then
    /// is netted first. An amount of 0 takes the request back, and so does another signer.
    function requestCollateral(uint16 id, uint112 amount, address to) external;

    /// @notice Fixes to whom the party's collateral is paid. By whom a request is made, while there is no payee; then by
    /// the payee alone, who may also undo it with zero. Drops the request that stands.
    /// @dev A payee is out of reach of a stolen signer key, and of the quorum that replaces a signer.
    function setPayee(uint16 id, address payee) external;

    /// @notice Pays what was requested, as far as it is free; the rest stays requested. Anyone.
    /// @param h The header of the standing proposal; ignored if none stands. After 30 days without `propose` and
    /// `finalize` nothing has to be waited for, and it is the header of the standing proposal or the last final one.
    function withdrawCollateral(uint16 id, Header calldata h) external;

    /// @notice What `id` has deposited and settled, in micro-units.
    function collateral(uint16 id) external view returns (uint256);
    /// @notice The collateral of all parties and a challenger's bond, never more than the token balance.
    function totalCollateral() external view returns (uint256);
    /// @notice To whom alone the party's collateral is paid; zero: to whom its signer says.
    function payeeOf(uint16 id) external view returns (address);
    /// @notice The request that stands for `id`: payable once settlement `number` is final.
    function requested(uint16 id) external view returns (uint112 amount, uint64 number, address to);
    /// @notice When requests need not wait any more, unless something is proposed or final before.
    function silentFrom() external view returns (uint256);
}
