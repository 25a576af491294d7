// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice What one settlement says: the closing (fixed when it closed) and how it came out. Names and order are
/// final: they are the EIP-712 type that partners sign.
/// @param programme The programme this contract serves.
/// @param number Settlements count from 1 without a gap.
/// @param attempt Counts how often this number was closed anew, from 1.
/// @param previousHeader Header hash of the last final settlement, zero for number 1.
/// @param previousClosing Closing hash of the last final settlement, zero for number 1.
/// @param closedAt When the books closed, in the programme's time; never compared with the chain's.
/// @param logSize Size of the log at the close: this settlement is the leaves since the previous one.
/// @param logRoot RFC 6962 root of the log at that size.
/// @param claimRoot Root of the claim tree; zero while claims are not open.
/// @param manifest Hash of the manifest of everything published with it.
/// @param gross Words of 16 bytes (uint16 id, int112 micro-units): what each party is owed, before the outcome.
/// @param supply Records of five words: currency, liability root, custodial C, withdrawn W, returned R.
/// @param collateralBlock The final block at which collateral was looked at.
/// @param collateralBlockHash Its hash; compared by the signers, not by the contract.
/// @param positions Words as in `gross`: what is moved between the parties' collateral.
/// @param defaults Packed uint16 ids of the partners that fall below their floor.
struct Header {
    bytes32 programme;
    uint64 number;
    uint32 attempt;
    bytes32 previousHeader;
    bytes32 previousClosing;
    uint64 closedAt;
    uint64 logSize;
    bytes32 logRoot;
    bytes32 claimRoot;
    bytes32 manifest;
    bytes gross;
    bytes supply;
    uint64 collateralBlock;
    bytes32 collateralBlockHash;
    bytes positions;
    bytes defaults;
}

/// @notice A currency to deploy; ids rise strictly.
struct Currency {
    uint16 id;
    string name;
    string symbol;
}

/// @notice A partner to register; ids rise strictly from 16, signers are distinct.
struct Partner {
    uint16 id;
    address signer;
    uint128 floor;
}

/// @notice Everything fixed at deployment.
struct Config {
    bytes32 programme;
    bytes32 rulebook;
    address token;
    uint64 windowSeconds;
    address operator;
    address counterfoilKey;
    bytes32 checkpointKey;
    Currency[] currencies;
    Partner[] partners;
}

/// @title Where a programme settles: collateral moves, and the supply of points follows the books.
/// @notice The operator proposes a header that a quorum of partners signed; after a window anyone finalizes it.
///
/// What keeps it safe:
/// - the settlement token has 6 decimals, moves exactly what it says, never rebases downwards, has no holder
///   who can seize this contract's balance, and refuses nobody; fees on transfer are met (what arrives is credited);
/// - partners sign only after their own software recomputed the header: the contract cannot see the books, and takes
///   roots, gross positions and liabilities on the quorum's word;
/// - fewer than a third of the active partners collude with the operator, and the rest watch during the window;
/// - collateral can only grow between `propose` and `finalize`, so what was covered stays covered, and a proposal
///   once taken can always be finalized;
/// - there is no proxy, no owner and no call into foreign code, except the settlement token during a deposit.
interface ISettlement {
    /// @notice A constructor argument is zero where it may not be.
    error Missing(string field);
    /// @notice The settlement token must count in millionths.
    error WrongDecimals(uint8 decimals);
    /// @notice Ids below 16 are reserved for the programme itself.
    error ReservedId(uint16 id);
    /// @notice One key must not sign for two partners.
    error SignerTaken(uint16 id, address signer);

    /// @notice No party has this id.
    error UnknownParty(uint16 id);
    /// @notice Only the operator proposes.
    error NotOperator(address caller);
    /// @notice One proposal at a time.
    error AlreadyProposed(uint64 number, bytes32 headerHash);
    /// @notice There is nothing to finalize.
    error NothingProposed();
    /// @notice This is not the header that was proposed.
    error WrongHeader(bytes32 expected, bytes32 given);
    /// @notice The window is not over.
    error WindowOpen(uint256 until);

    error WrongProgramme(bytes32 expected, bytes32 given);
    error WrongNumber(uint64 expected, uint64 given);
    error WrongAttempt(uint32 expected, uint32 given);
    error WrongPreviousHeader(bytes32 expected, bytes32 given);
    error WrongPreviousClosing(bytes32 expected, bytes32 given);
    /// @notice The log only grows.
    error LogShrinks(uint64 last, uint64 given);
    /// @notice Claims are not open: their root, and withdrawn and returned points, must be zero.
    error ClaimsNotOpen(bytes32 claimRoot, uint256 withdrawn, uint256 returned);

    /// @notice Packed bytes do not divide into records.
    error BrokenRecord(uint256 length, uint256 width);
    /// @notice Ids must rise strictly.
    error UnsortedId(uint256 previous, uint256 id);
    /// @notice A party that moves nothing is left out.
    error ZeroNet(uint16 id);
    /// @notice What some receive, others pay.
    error Unbalanced(int256 sum);
    /// @notice Every currency has its record, in order, in every header.
    error WrongCurrencies(uint256 expected, uint256 given);
    /// @notice The record at this place must be of another currency.
    error WrongCurrency(uint16 expected, uint256 given);

    /// @notice Only an active partner signs.
    error NotASigner(uint16 id);
    /// @notice The signature is not this partner's over this header on this contract and chain.
    error BadSignature(uint16 id, address recovered);
    /// @notice Too few partners signed.
    error BelowQuorum(uint256 required, uint256 given);

    /// @notice The party's collateral does not cover its debit.
    error NotCovered(uint16 id, uint256 collateral, uint256 debit);
    /// @notice A debit takes the partner below its floor, and it is not named in `defaults`.
    error BelowFloor(uint16 id, uint256 collateral, uint256 floor);
    /// @notice A partner is named in `defaults` though its floor is met.
    error NotInDefault(uint16 id, uint256 collateral, uint256 floor);

    event CurrencyRegistered(uint16 indexed currency, address points);
    event PartnerRegistered(uint16 indexed id, address signer, uint128 floor);
    event CollateralDeposited(uint16 indexed id, address indexed from, uint256 amount, uint256 collateral);
    event Proposed(uint64 indexed number, uint32 attempt, bytes32 headerHash, uint256 finalizableAt);
    event PositionSettled(uint64 indexed number, uint16 indexed id, int112 net, uint256 collateral);
    event PartnerSuspended(uint64 indexed number, uint16 indexed id);
    /// @notice A partner named in `defaults` was topped up to its floor during the window, and stays active.
    event DefaultCured(uint64 indexed number, uint16 indexed id);
    event SupplySet(uint64 indexed number, uint16 indexed currency, uint256 supply);
    event Finalized(uint64 indexed number, bytes32 headerHash, bytes32 closingHash, uint64 logSize);

    /// @notice Adds to the collateral of any known party, taken from the caller by allowance.
    /// @dev Credits what arrived, which is less than `amount` if the token keeps a fee.
    function depositCollateral(uint16 id, uint256 amount) external;

    /// @notice Proposes the next settlement. Operator only.
    /// @param h The header.
    /// @param signatures Records of 67 bytes (uint16 id, r, s, v), ids rising, one for each signing partner.
    /// @dev Each signature given must be good, beyond the quorum too. Whoever is named in `defaults` must be a partner
    /// below its floor now, once its position is applied.
    function propose(Header calldata h, bytes calldata signatures) external;

    /// @notice Makes the proposed settlement final. Anyone, once the window is over.
    /// @dev Collateral is checked again. A partner in `defaults` that still misses its floor is suspended; one that
    /// was topped up meanwhile is not, because reverting would let any deposit block the programme for ever.
    function finalize(Header calldata h) external;

    function programme() external view returns (bytes32);
    function rulebook() external view returns (bytes32);
    /// @notice The ERC-20 that collateral is held in.
    function token() external view returns (address);
    function operator() external view returns (address);
    /// @notice Seconds between `propose` and the earliest `finalize`.
    function window() external view returns (uint64);
    /// @notice The key that signs counterfoils, and the log size from which it holds.
    function counterfoilKey() external view returns (address key, uint64 fromSize);
    /// @notice The Ed25519 key that signs checkpoints, and the log size from which it holds.
    function checkpointKey() external view returns (bytes32 key, uint64 fromSize);

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

    /// @notice What `id` has deposited and settled, in micro-units.
    function collateral(uint16 id) external view returns (uint256);
    /// @notice The collateral of all parties, never more than the token balance.
    function totalCollateral() external view returns (uint256);
    /// @notice Whether collateral can be held for `id`: reserved ids 1 to 6, and partners.
    function known(uint16 id) external view returns (bool);
    function floorOf(uint16 id) external view returns (uint256);
    /// @notice The key that signs headers for a partner, zero for an id that is none.
    function signerOf(uint16 id) external view returns (address);
    function suspended(uint16 id) external view returns (bool);
    /// @notice All partners' ids, the suspended too.
    function partners() external view returns (uint16[] memory);
    /// @notice How many must sign: two thirds of the active partners, rounded up, and never nobody.
    function quorum() external view returns (uint256);
    function currencies() external view returns (uint16[] memory);
    /// @notice The ERC-20 of a currency, zero for an unknown one.
    function points(uint16 currency) external view returns (address);

    /// @notice EIP-712 struct hash of the header, by which a settlement is known.
    function headerHash(Header calldata h) external pure returns (bytes32);
    /// @notice EIP-712 struct hash of the closing in the header.
    function closingHash(Header calldata h) external pure returns (bytes32);
    /// @notice What partners sign: the header's hash bound to this contract and chain.
    function digest(Header calldata h) external view returns (bytes32);
}
