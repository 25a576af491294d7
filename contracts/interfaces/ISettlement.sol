// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Header} from "./Header.sol";
import {IClaims} from "./IClaims.sol";
import {ICollateral} from "./ICollateral.sol";
import {IProgramme} from "./IProgramme.sol";

/// @title Where a programme settles: collateral moves, and the supply of points follows the books.
/// @notice The operator proposes a header that a quorum of partners signed; during a window a partner can challenge
/// it; after the window anyone finalizes it.
///
/// What keeps it safe:
/// - the settlement token has 6 decimals, moves exactly what it says, never rebases downwards, has no holder
///   who can seize this contract's balance, and refuses nobody; fees on transfer are met (what arrives is credited);
/// - partners sign only after their own software recomputed the header: the contract cannot see the books, and takes
///   roots, gross positions and liabilities on the quorum's word;
/// - fewer than a third of the active partners collude with the operator, and the rest watch during the window;
/// - what a standing proposal debits cannot leave, so a proposal once taken can always be finalized;
/// - there is no proxy, no owner and no call into foreign code, except the settlement token when collateral comes or
///   goes, the successor's points in `migrate`, and, read only, signers and members that are contracts (ERC-1271).
interface ISettlement is IProgramme, ICollateral, IClaims {
    /// @notice Only the operator may do this.
    error NotOperator(address caller);
    /// @notice A proposal stands.
    error AlreadyProposed(uint64 number, bytes32 headerHash);
    /// @notice No proposal stands.
    error NothingProposed();
    /// @notice Not the header that stands.
    error WrongHeader(bytes32 expected, bytes32 given);
    /// @notice The window is open until `until`.
    error WindowOpen(uint256 until);
    /// @notice The window closed at `until`.
    error WindowClosed(uint256 until);
    /// @notice The header was challenged by this partner, and neither confirmed nor voided yet.
    error ChallengeStands(uint16 id);
    /// @notice Nobody challenges the header.
    error NotChallenged();
    /// @notice The partner has challenged this header before.
    error ChallengedBefore(uint16 id, bytes32 headerHash);
    /// @notice The quorum can answer the challenge until `until`.
    error AnswerOpen(uint256 until);
    /// @notice The quorum could answer the challenge until `until`.
    error AnswerClosed(uint256 until);

    error WrongProgramme(bytes32 expected, bytes32 given);
    error WrongNumber(uint64 expected, uint64 given);
    error WrongAttempt(uint32 expected, uint32 given);
    error WrongPreviousHeader(bytes32 expected, bytes32 given);
    error WrongPreviousClosing(bytes32 expected, bytes32 given);
    /// @notice The log only grows.
    error LogShrinks(uint64 last, uint64 given);
    /// @notice There is a claim root if and only if points were withdrawn, ever.
    error WrongClaimRoot(bytes32 claimRoot, uint256 withdrawn);
    /// @notice Withdrawn points only grow.
    error WithdrawnFalls(uint16 currency, uint256 last, uint256 given);
    /// @notice Returned points only grow.
    error ReturnedFalls(uint16 currency, uint256 last, uint256 given);
    /// @notice More is booked as returned than came back on chain.
    error NotReturned(uint16 currency, uint256 givenBack, uint256 returned);

    /// @notice Packed bytes do not divide into records; a width of 0: they end within a record.
    error BrokenRecord(uint256 length, uint256 width);
    /// @notice Ids must rise strictly.
    error UnsortedId(uint256 previous, uint256 id);
    /// @notice A party that moves nothing is left out.
    error ZeroNet(uint16 id);
    /// @notice What some receive, others pay.
    error Unbalanced(int256 sum);
    /// @notice Every currency has its record in every header.
    error WrongCurrencies(uint256 expected, uint256 given);

    /// @notice Only an active partner signs.
    error NotASigner(uint16 id);
    /// @notice The signature is not this partner's over these words on this contract and chain.
    error BadSignature(uint16 id, address recovered);
    /// @notice Too few partners signed.
    error BelowQuorum(uint256 required, uint256 given);

    /// @notice The party's collateral does not cover its debit.
    error NotCovered(uint16 id, uint256 collateral, uint256 debit);
    /// @notice A debit takes the partner below its floor, and it is not named in `defaults`.
    error BelowFloor(uint16 id, uint256 collateral, uint256 floor);
    /// @notice A partner is named in `defaults` though its floor is met.
    error NotInDefault(uint16 id, uint256 collateral, uint256 floor);

    event Proposed(uint64 indexed number, uint32 attempt, bytes32 headerHash, uint256 finalizableAt);
    event Challenged(uint64 indexed number, uint32 attempt, uint16 indexed id, bytes32 headerHash, uint256 answerUntil);
    /// @notice The quorum signed the challenged header again.
    event Confirmed(uint64 indexed number, uint32 attempt, uint16 indexed id, bytes32 headerHash);
    /// @notice The challenge was upheld: the settlement is closed anew, with the next attempt.
    event Voided(uint64 indexed number, uint32 attempt, bytes32 headerHash);
    /// @notice Each position of a final header, in its order: words of uint16 id, int112 net, uint112 collateral after
    /// it, two bytes of zero. One event for all: one for each would cost more than to move the collateral.
    event PositionsSettled(uint64 indexed number, bytes settled);
    event PartnerSuspended(uint64 indexed number, uint16 indexed id);
    /// @notice A partner named in `defaults` was topped up to its floor during the window, and stays active.
    event DefaultCured(uint64 indexed number, uint16 indexed id);
    event SupplySet(uint64 indexed number, uint16 indexed currency, uint256 supply);
    event Finalized(uint64 indexed number, bytes32 headerHash, bytes32 closingHash, uint64 logSize);

    /// @notice Proposes the next settlement. Operator only.
    /// @param h The header.
    /// @param signatures Records (uint16 id, uint16 length, signature), ids rising, one for each signing partner. A
    /// signature is 65 bytes r, s, v of the signer's key, or what the signer, a contract, accepts by ERC-1271.
    /// @dev Each signature given must be good, beyond the quorum too. Whoever is named in `defaults` must be a partner
    /// below its floor now, once its position is applied.
    function propose(Header calldata h, bytes calldata signatures) external;

    /// @notice Objects to the header that stands. By the partner's signer, within the window, once per header.
    /// @dev The bond is taken from the partner's free collateral. The header is stopped until the quorum confirms it.
    function challenge(uint16 id, Header calldata h) external;

    /// @notice Rejects the challenge: the quorum signed `Confirmation(bytes32 header,uint16 challenger)`, `header` the
    /// standing one's hash. Anyone may send it, in time. The bond falls to the operator's collateral (id 2). The window
    /// does not start anew: it closes when it would have closed.
    function confirm(bytes calldata signatures) external;

    /// @notice Voids the challenged header that the quorum did not confirm in time. Anyone.
    function uphold() external;

    /// @notice Voids the challenged header at once. Operator only.
    function concede() external;

    /// @notice Makes the proposed settlement final. Anyone, once the window is over and no challenge stands.
    /// @dev A partner in `defaults` that still misses its floor is suspended; one that was topped up meanwhile is
    /// not, because reverting would let any deposit block the programme for ever.
    function finalize(Header calldata h) external;

    /// @notice Whether a quorum of active partners signed this EIP-712 struct hash for this contract and chain: records
    /// as in `propose`. Reverts if not. Used by the timelock.
    function requireQuorum(bytes32 structHash, bytes calldata signatures) external view;

    /// @notice The last final settlement, zero before the first.
    function lastNumber() external view returns (uint64);
    /// @notice Its header hash.
    function lastHeader() external view returns (bytes32);
    /// @notice Its closing hash.
    function lastClosing() external view returns (bytes32);
    /// @notice Its log size.
    function logSize() external view returns (uint64);
    /// @notice The attempt that the next header must carry.
    function nextAttempt() external view returns (uint32);
    /// @notice The standing proposal, all zero if there is none.
    function proposal() external view returns (bytes32 headerHash_, uint64 number, uint64 proposedAt);
    /// @notice Who challenges it, and until when the quorum can answer; zero if nobody does.
    function challenger() external view returns (uint16 id, uint256 answerUntil);

    /// @notice EIP-712 struct hash of the header, by which a settlement is known.
    function headerHash(Header calldata h) external pure returns (bytes32);
    /// @notice EIP-712 struct hash of the closing in the header.
    function closingHash(Header calldata h) external pure returns (bytes32);
    /// @notice What partners sign: the header's hash bound to this contract and chain.
    function digest(Header calldata h) external view returns (bytes32);
}
