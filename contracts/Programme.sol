// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {ICollateral} from "./interfaces/ICollateral.sol";
import {Config, IProgramme, Key} from "./interfaces/IProgramme.sol";
import {ISettlement} from "./interfaces/ISettlement.sol";
import {Points} from "./Points.sol";
import {Press} from "./Press.sol";
import {Timelock} from "./Timelock.sol";

/// @title What a programme is and who takes part in it, as every other part of Settlement reads it.
abstract contract Programme is ISettlement {
    /// @dev The reserved ids in use: pool, operator, reserve, suspense, reward escrow, prefunding.
    uint16 internal constant LAST_RESERVED = 6;
    uint16 private constant FIRST_PARTNER = 16;
    uint16 internal constant OPERATOR_ID = 2;

    /// @dev One storage word, so that a position costs one read and one write.
    struct Party {
        uint112 collateral;
        uint112 floor;
        bool partner;
    }

    /// @dev One storage word: all that a signature needs.
    struct Voice {
        address signer; // zero: it retired
        bool suspended;
    }

    /// @dev One storage word: everything that every settlement reads and writes.
    struct State {
        uint48 number; // of the last final settlement
        uint48 logSize;
        uint40 movedAt; // when something was last proposed or made final
        uint40 pausedUntil;
        uint16 attempt; // the next header's
        uint16 active; // partners that sign: not suspended, and with a signer
        uint16 currencies;
        uint16 challenger; // zero: nobody challenges the proposal
        bool proposed;
    }

    /// @dev What a party asked for, in two storage words.
    struct Request {
        uint112 amount;
        uint64 number;
        address to;
    }

    /// @dev What comes and goes of a currency, in two storage words.
    struct Coin {
        address points;
        uint96 withdrawn;
        uint128 returned;
        uint128 givenBack;
    }

    /// @inheritdoc IProgramme
    bytes32 public immutable override programme;
    /// @inheritdoc IProgramme
    address public immutable override token;
    /// @inheritdoc IProgramme
    uint64 public immutable override window;
    /// @inheritdoc IProgramme
    uint64 public immutable override answer;
    /// @inheritdoc IProgramme
    uint112 public immutable override bond;
    /// @inheritdoc IProgramme
    bool public immutable override closedLoop;
    /// @inheritdoc IProgramme
    address public immutable override predecessor;
    /// @inheritdoc IProgramme
    address public immutable override timelock;
    /// @inheritdoc IProgramme
    address public immutable override press;

    State internal _state;
    /// @dev Header hashes of the last final settlement and of the proposal, each at its number's parity.
    bytes32[2] internal _headers;

    /// @inheritdoc IProgramme
    bytes32 public override rulebook;
    /// @inheritdoc IProgramme
    address public override operator;
    /// @inheritdoc IProgramme
    address public override guardian;
    /// @inheritdoc IProgramme
    address public override successor;
    mapping(uint16 id => Voice) internal _voices;
    /// @dev Once a signer, never another partner's.
    mapping(address signer => uint16 id) private _signs;
    mapping(uint16 id => Party) internal _parties;
    /// @inheritdoc ICollateral
    mapping(uint16 id => Request) public override requested;
    mapping(uint16 currency => Coin) internal _coins;
    uint16[] private _partners;
    uint16[] private _currencies;
    Key[] internal _counterfoilKeys;
    Key[] internal _checkpointKeys;

    constructor(Config memory config) {
        if (config.programme == 0) revert Missing("programme");
        if (config.operator == address(0)) revert Missing("operator");
        if (config.counterfoilKey == address(0)) revert Missing("counterfoilKey");
        if (config.checkpointKey == 0) revert Missing("checkpointKey");
        if (config.partners.length == 0) revert Missing("partners");
        if (config.windowSeconds != 0 && config.answerSeconds == 0) revert Missing("answerSeconds");
        uint8 decimals = IERC20Metadata(config.token).decimals();
        if (decimals != 6) revert WrongDecimals(decimals);

        programme = config.programme;
        token = config.token;
        window = config.windowSeconds;
        answer = config.answerSeconds;
        bond = config.bond;
        closedLoop = config.closedLoop;
        predecessor = config.predecessor;
        timelock = address(new Timelock(config.delaySeconds));
        press = address(new Press(config.closedLoop, config.predecessor));

        rulebook = config.rulebook;
        guardian = config.guardian;
        operator = config.operator;
        _state.movedAt = uint40(block.timestamp);
        _state.attempt = 1;
        _counterfoilKeys.push(Key(bytes32(uint256(uint160(config.counterfoilKey))), 0));
        _checkpointKeys.push(Key(config.checkpointKey, 0));
        for (uint256 i = 0; i < config.currencies.length; ++i) {
            _addCurrency(Press(press).deploy(config.currencies[i]));
        }
        for (uint256 i = 0; i < config.partners.length; ++i) {
            _register(config.partners[i].id, config.partners[i].signer, config.partners[i].floor);
        }
    }

    /// @inheritdoc IProgramme
    function pausedUntil() external view override returns (uint256) {
        return _state.pausedUntil;
    }

    /// @inheritdoc IProgramme
    function counterfoilKeys() external view override returns (Key[] memory) {
        return _counterfoilKeys;
    }

    /// @inheritdoc IProgramme
    function checkpointKeys() external view override returns (Key[] memory) {
        return _checkpointKeys;
    }

    /// @inheritdoc IProgramme
    function floorOf(uint16 id) external view override returns (uint256) {
        return _parties[id].floor;
    }

    /// @inheritdoc IProgramme
    function suspended(uint16 id) external view override returns (bool) {
        return _voices[id].suspended;
    }

    /// @inheritdoc IProgramme
    function signerOf(uint16 id) external view override returns (address) {
        return _voices[id].signer;
    }

    /// @inheritdoc IProgramme
    function partners() external view override returns (uint16[] memory) {
        return _partners;
    }

    /// @inheritdoc IProgramme
    function currencies() external view override returns (uint16[] memory) {
        return _currencies;
    }

    /// @inheritdoc IProgramme
    function points(uint16 currency) external view override returns (address) {
        return _coins[currency].points;
    }

    /// @inheritdoc IProgramme
    function known(uint16 id) public view override returns (bool) {
        return _parties[id].partner || (id != 0 && id <= LAST_RESERVED);
    }

    /// @inheritdoc IProgramme
    function quorum() public view override returns (uint256) {
        // with nobody active two thirds of none would be none: then nothing can be proposed
        uint256 active = _state.active;
        return active == 0 ? 1 : (2 * active + 2) / 3;
    }

    /// @dev Registers a partner that is active at once.
    function _register(uint16 id, address signer, uint112 floor) internal {
        if (id < FIRST_PARTNER) revert ReservedId(id);
        if (_parties[id].partner) revert IdTaken(id);
        _parties[id] = Party(0, floor, true);
        _partners.push(id);
        ++_state.active; // ids are 16 bits and distinct
        _takeSigner(id, signer);
        emit PartnerRegistered(id, signer, floor);
    }

    /// @dev The key of `id` from now on.
    function _takeSigner(uint16 id, address signer) internal {
        if (signer == address(0)) revert Missing("signer");
        if (_signs[signer] != 0) revert SignerTaken(_signs[signer], signer);
        _signs[signer] = id;
        delete requested[id]; // the last signer's request: it may have been a thief's
        _voices[id].signer = signer;
    }

    /// @dev Registers points that the press made.
    function _addCurrency(address points_) internal {
        if (!Press(press).made(points_)) revert NotOurs(points_);
        uint16 id = Points(points_).currency();
        if (id == 0) revert Missing("currency");
        if (_coins[id].points != address(0)) revert IdTaken(id);
        _coins[id].points = points_;
        _currencies.push(id);
        ++_state.currencies;
        emit CurrencyRegistered(id, points_);
    }
}
