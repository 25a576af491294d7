// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice A currency to deploy; ids are distinct and not zero.
struct Currency {
    uint16 id;
    string name;
    string symbol;
}

/// @notice A partner to register; ids are distinct and from 16, signers are distinct.
struct Partner {
    uint16 id;
    address signer;
    uint112 floor;
}

/// @notice A key, and the size of the log from which it holds.
struct Key {
    bytes32 key;
    uint64 fromSize;
}

/// @notice What a programme starts with.
/// @param programme Its id, for ever.
/// @param rulebook Hash of its rulebook.
/// @param token The ERC-20 that collateral is held in.
/// @param windowSeconds Between `propose` and the earliest `finalize`; 0 only where the money is worth nothing.
/// @param answerSeconds How long the quorum has to confirm a header that was challenged.
/// @param delaySeconds Between a change that the quorum scheduled and its earliest execution.
/// @param bond What a challenge costs if the quorum confirms the header, in micro-units.
/// @param closedLoop Whether points can only go to who has claimed before.
/// @param operator Who proposes.
/// @param guardian Who can pause, or nobody.
/// @param counterfoilKey The address that signs counterfoils.
/// @param checkpointKey The Ed25519 key that signs checkpoints.
/// @param predecessor The Settlement whose points are swapped for this one's, or none.
/// @param currencies May be none; more can be added.
/// @param partners At least one; more can be added.
struct Config {
    bytes32 programme;
    bytes32 rulebook;
    address token;
    uint64 windowSeconds;
    uint64 answerSeconds;
    uint64 delaySeconds;
    uint112 bond;
    bool closedLoop;
    address operator;
    address guardian;
    address counterfoilKey;
    bytes32 checkpointKey;
    address predecessor;
    Currency[] currencies;
    Partner[] partners;
}

/// @title What a programme is, who takes part in it, and what the partners' quorum changes by the timelock.
/// @notice Every function that changes something here can be called by the timelock alone, but for `pause` and
/// `retire`. A change takes effect when it is executed; a proposal that stands then is settled as it was signed.
interface IProgramme {
    /// @notice An argument is zero where it may not be.
    error Missing(string field);
    /// @notice The settlement token must count in millionths.
    error WrongDecimals(uint8 decimals);
    /// @notice Ids below 16 are reserved for the programme itself.
    error ReservedId(uint16 id);
    /// @notice A partner, or a currency, has this id already.
    error IdTaken(uint16 id);
    /// @notice A key signs for one partner, and for none once it is retired.
    error SignerTaken(uint16 id, address signer);
    /// @notice No party has this id.
    error UnknownParty(uint16 id);
    /// @notice The partner is not suspended.
    error NotSuspended(uint16 id);
    /// @notice Only the timelock may do this.
    error OnlyTimelock(address caller);
    /// @notice Only the guardian may do this.
    error NotGuardian(address caller);
    /// @notice Only the party's signer may do this; for the operator's own id 2, the operator.
    error NotTheSigner(uint16 id, address caller);
    /// @notice The press did not make this.
    error NotOurs(address points);
    /// @notice A key holds from a later size than the last one, and not for what is final.
    error KeyTooEarly(uint64 earliest, uint64 given);
    /// @notice Paused.
    error PausedUntil(uint256 until);
    /// @notice The guardian has to wait before it can pause again.
    error PauseTooSoon(uint256 from);

    event CurrencyRegistered(uint16 indexed currency, address points);
    event PartnerRegistered(uint16 indexed id, address signer, uint112 floor);
    /// @notice A signer of zero: it retired, and the partner signs nothing until it has another.
    event SignerChanged(uint16 indexed id, address signer);
    event FloorChanged(uint16 indexed id, uint112 floor);
    event PartnerReinstated(uint16 indexed id);
    event CounterfoilKeyChanged(address key, uint64 fromSize);
    event CheckpointKeyChanged(bytes32 key, uint64 fromSize);
    event OperatorChanged(address operator);
    event GuardianChanged(address guardian);
    event RulebookChanged(bytes32 rulebook);
    event SuccessorChanged(address successor);
    event Paused(uint256 until);

    /// @notice Stops `propose` and `finalize` for seven days. Guardian only, and only seven days after the last pause
    /// ended. Claims, challenges, withdrawals and the timelock go on.
    function pause() external;
    /// @notice The caller's key signs for the partner no more, at once. It never signs for anyone again, and what it asked
    /// for of the collateral is not paid.
    function retire(uint16 id) external;

    /// @notice Registers further partners.
    function addPartners(Partner[] calldata list) external;
    /// @notice Gives a partner another signer.
    function setSigner(uint16 id, address signer) external;
    /// @notice Changes a partner's floor. It holds from the next proposal.
    function setFloor(uint16 id, uint112 floor) external;
    /// @notice Ends a suspension.
    function reinstate(uint16 id) external;
    /// @notice Registers a further currency.
    /// @param points_ What the press deployed for it.
    function addCurrency(address points_) external;
    /// @notice Another key signs counterfoils from a log size on.
    function setCounterfoilKey(address key, uint64 fromSize) external;
    /// @notice Another key signs checkpoints from a log size on.
    function setCheckpointKey(bytes32 key, uint64 fromSize) external;
    function setOperator(address operator_) external;
    /// @notice Zero: nobody can pause.
    function setGuardian(address guardian_) external;
    function setRulebook(bytes32 rulebook_) external;
    /// @notice Names the Settlement whose points `migrate` swaps for this one's.
    function setSuccessor(address successor_) external;

    function programme() external view returns (bytes32);
    function rulebook() external view returns (bytes32);
    /// @notice The ERC-20 that collateral is held in.
    function token() external view returns (address);
    function operator() external view returns (address);
    function guardian() external view returns (address);
    /// @notice Deployed by this contract; it holds what the partners' quorum scheduled.
    function timelock() external view returns (address);
    /// @notice Deployed by this contract; it deploys the currencies' contracts.
    function press() external view returns (address);
    /// @notice The Settlement that follows this one, zero while there is none.
    function successor() external view returns (address);
    /// @notice The Settlement before this one, zero if there was none.
    function predecessor() external view returns (address);
    /// @notice Seconds between `propose` and the earliest `finalize`.
    function window() external view returns (uint64);
    /// @notice Seconds in which a challenged header must be confirmed.
    function answer() external view returns (uint64);
    /// @notice What a rejected challenge costs, in micro-units.
    function bond() external view returns (uint112);
    /// @notice Whether points can only go to who has claimed before.
    function closedLoop() external view returns (bool);
    /// @notice When the last pause ends or ended, zero if there was none.
    function pausedUntil() external view returns (uint256);
    /// @notice Every key that signed or signs counterfoils, addresses as words, by the log size from which it holds.
    function counterfoilKeys() external view returns (Key[] memory);
    /// @notice Every Ed25519 key that signed or signs checkpoints, by the log size from which it holds.
    function checkpointKeys() external view returns (Key[] memory);

    /// @notice Whether collateral can be held for `id`: reserved ids 1 to 6, and partners.
    function known(uint16 id) external view returns (bool);
    function floorOf(uint16 id) external view returns (uint256);
    /// @notice The key that signs headers for a partner, zero for an id that has none.
    function signerOf(uint16 id) external view returns (address);
    function suspended(uint16 id) external view returns (bool);
    /// @notice All partners' ids, the suspended too, in the order they were registered.
    function partners() external view returns (uint16[] memory);
    /// @notice How many must sign: two thirds of the active partners, rounded up, and never nobody.
    function quorum() external view returns (uint256);
    function currencies() external view returns (uint16[] memory);
    /// @notice The ERC-20 of a currency, zero for an unknown one.
    function points(uint16 currency) external view returns (address);
}
