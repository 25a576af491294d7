// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Config, Currency, ISettlement, Partner} from "./interfaces/ISettlement.sol";
import {Words} from "./libraries/Words.sol";
import {Points} from "./Points.sol";

/// @title What is fixed at deployment, who takes part, and what each has deposited.
abstract contract Programme is ISettlement, ReentrancyGuard {
    using SafeERC20 for IERC20;

    /// @dev The reserved ids in use: pool, operator, reserve, suspense, reward escrow, prefunding.
    uint16 private constant LAST_RESERVED = 6;
    uint16 private constant FIRST_PARTNER = 16;

    struct Party {
        address signer;
        bool suspended;
        uint128 floor;
        uint128 collateral;
    }

    /// @inheritdoc ISettlement
    bytes32 public immutable override programme;
    /// @inheritdoc ISettlement
    bytes32 public immutable override rulebook;
    /// @inheritdoc ISettlement
    address public immutable override token;
    /// @inheritdoc ISettlement
    address public immutable override operator;
    /// @inheritdoc ISettlement
    uint64 public immutable override window;
    address private immutable _counterfoilKey;
    bytes32 private immutable _checkpointKey;

    /// @inheritdoc ISettlement
    mapping(uint16 currency => address) public override points;
    mapping(uint16 id => Party) internal _parties;
    uint16[] internal _currencies;
    uint16[] private _partners;
    uint128 private _totalCollateral;
    /// @dev Partners that are not suspended.
    uint16 internal _active;

    constructor(Config memory config) {
        if (config.programme == 0) revert Missing("programme");
        if (config.operator == address(0)) revert Missing("operator");
        if (config.counterfoilKey == address(0)) revert Missing("counterfoilKey");
        if (config.checkpointKey == 0) revert Missing("checkpointKey");
        if (config.partners.length == 0) revert Missing("partners");
        uint8 decimals = IERC20Metadata(config.token).decimals();
        if (decimals != 6) revert WrongDecimals(decimals);

        programme = config.programme;
        rulebook = config.rulebook;
        token = config.token;
        operator = config.operator;
        window = config.windowSeconds;
        _counterfoilKey = config.counterfoilKey;
        _checkpointKey = config.checkpointKey;
        _deployPoints(config.currencies);
        _registerPartners(config.partners);
    }

    /// @inheritdoc ISettlement
    function depositCollateral(uint16 id, uint256 amount) external override nonReentrant {
        if (!known(id)) revert UnknownParty(id);
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
        uint256 arrived = IERC20(token).balanceOf(address(this)) - before;

        // the total is bounded here; positions sum to zero, so no single party can ever exceed it
        _totalCollateral = SafeCast.toUint128(_totalCollateral + arrived);
        Party storage party = _parties[id];
        party.collateral += uint128(arrived);
        emit CollateralDeposited(id, msg.sender, arrived, party.collateral);
    }

    /// @inheritdoc ISettlement
    function counterfoilKey() external view override returns (address key, uint64 fromSize) {
        return (_counterfoilKey, 0);
    }

    /// @inheritdoc ISettlement
    function checkpointKey() external view override returns (bytes32 key, uint64 fromSize) {
        return (_checkpointKey, 0);
    }

    /// @inheritdoc ISettlement
    function collateral(uint16 id) external view override returns (uint256) {
        return _parties[id].collateral;
    }

    /// @inheritdoc ISettlement
    function totalCollateral() external view override returns (uint256) {
        return _totalCollateral;
    }

    /// @inheritdoc ISettlement
    function floorOf(uint16 id) external view override returns (uint256) {
        return _parties[id].floor;
    }

    /// @inheritdoc ISettlement
    function signerOf(uint16 id) external view override returns (address) {
        return _parties[id].signer;
    }

    /// @inheritdoc ISettlement
    function suspended(uint16 id) external view override returns (bool) {
        return _parties[id].suspended;
    }

    /// @inheritdoc ISettlement
    function partners() external view override returns (uint16[] memory) {
        return _partners;
    }

    /// @inheritdoc ISettlement
    function currencies() external view override returns (uint16[] memory) {
        return _currencies;
    }

    /// @inheritdoc ISettlement
    function known(uint16 id) public view override returns (bool) {
        return (id != 0 && id <= LAST_RESERVED) || _parties[id].signer != address(0);
    }

    /// @inheritdoc ISettlement
    function quorum() public view override returns (uint256) {
        // with every partner suspended two thirds of none would be none: then nothing can be proposed
        return _active == 0 ? 1 : (2 * uint256(_active) + 2) / 3;
    }

    function _deployPoints(Currency[] memory list) private {
        uint16 previous = 0;
        for (uint256 i = 0; i < list.length; ++i) {
            uint16 id = list[i].id;
            Words.requireRising(previous, id);
            previous = id;
            address deployed = address(new Points{salt: bytes32(uint256(id))}(list[i].name, list[i].symbol));
            points[id] = deployed;
            _currencies.push(id);
            emit CurrencyRegistered(id, deployed);
        }
    }

    function _registerPartners(Partner[] memory list) private {
        uint16 previous = 0;
        for (uint256 i = 0; i < list.length; ++i) {
            Partner memory partner = list[i];
            Words.requireRising(previous, partner.id);
            previous = partner.id;
            if (partner.id < FIRST_PARTNER) revert ReservedId(partner.id);
            if (partner.signer == address(0)) revert Missing("signer");
            for (uint256 j = 0; j < i; ++j) {
                if (list[j].signer == partner.signer) revert SignerTaken(list[j].id, partner.signer);
            }
            _parties[partner.id] = Party(partner.signer, false, partner.floor, 0);
            _partners.push(partner.id);
            emit PartnerRegistered(partner.id, partner.signer, partner.floor);
        }
        _active = uint16(list.length); // ids are 16 bits and distinct
    }
}
