// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Changes to a programme: scheduled by the partners' quorum, executed by anyone after the delay.
/// @notice A change is one call to Settlement. Signatures are those of `Settlement.requireQuorum`, in the domain of
/// Settlement, which deployed this contract: over `Change(bytes call,uint256 nonce)`, and over
/// `Cancellation(bytes32 change)` to take it back.
interface ITimelock {
    /// @notice Signatures were for another nonce.
    error WrongNonce(uint256 expected, uint256 given);
    /// @notice No such change waits.
    error UnknownChange(bytes32 change);
    /// @notice The change can be executed from `dueAt`.
    error NotDue(uint256 dueAt);

    event Scheduled(bytes32 indexed change, uint256 nonce, bytes call, uint256 dueAt);
    event Cancelled(bytes32 indexed change);
    event Executed(bytes32 indexed change);

    /// @notice Keeps a change that the quorum signed. Anyone may send it.
    /// @return change Its name: the struct hash that was signed.
    function schedule(bytes calldata call, uint256 nonce_, bytes calldata signatures)
        external
        returns (bytes32 change);

    /// @notice Drops a change that waits. Anyone may send it.
    function cancel(bytes32 change, bytes calldata signatures) external;

    /// @notice Makes the change. Anyone, once it is due; what Settlement refuses stays scheduled.
    function execute(bytes calldata call, uint256 nonce_) external;

    /// @notice The Settlement that deployed this contract, and the only contract it calls.
    function settlement() external view returns (address);
    /// @notice Seconds between `schedule` and the earliest `execute`.
    function delay() external view returns (uint64);
    /// @notice The nonce of the next change.
    function nonce() external view returns (uint256);
    /// @notice From when a change can be executed; zero if it does not wait.
    function dueAt(bytes32 change) external view returns (uint256);
}
