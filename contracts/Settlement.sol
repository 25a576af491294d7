// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Config, Header, ISettlement} from "./interfaces/ISettlement.sol";
import {Headers} from "./libraries/Headers.sol";
import {Words} from "./libraries/Words.sol";
import {Points} from "./Points.sol";
import {Programme} from "./Programme.sol";

contract Settlement is Programme, EIP712 {
    struct Proposal {
        bytes32 headerHash;
        uint64 number;
        uint64 proposedAt;
    }

    /// @inheritdoc ISettlement
    uint32 public constant override nextAttempt = 1;
    /// @inheritdoc ISettlement
    uint64 public override lastNumber;
    /// @inheritdoc ISettlement
    uint64 public override logSize;
    /// @inheritdoc ISettlement
    bytes32 public override lastHeader;
    /// @inheritdoc ISettlement
    bytes32 public override lastClosing;
    /// @inheritdoc ISettlement
    Proposal public override proposal;

    constructor(Config memory config) Programme(config) EIP712("Counterfoil", "1") {}

    /// @inheritdoc ISettlement
    function propose(Header calldata h, bytes calldata signatures) external override {
        if (msg.sender != operator) revert NotOperator(msg.sender);
        if (proposal.proposedAt != 0) revert AlreadyProposed(proposal.number, proposal.headerHash);
        _requireNext(h);
        _requireBalanced(h.gross);
        _requireBalanced(h.positions);
        _requireSupply(h);
        _requireCovered(h);
        bytes32 hash = Headers.headerHash(h);
        _requireQuorum(_hashTypedDataV4(hash), signatures);

        proposal = Proposal(hash, h.number, uint64(block.timestamp));
        emit Proposed(h.number, h.attempt, hash, block.timestamp + window);
    }

    /// @inheritdoc ISettlement
    function finalize(Header calldata h) external override {
        if (proposal.proposedAt == 0) revert NothingProposed();
        bytes32 hash = Headers.headerHash(h);
        if (hash != proposal.headerHash) revert WrongHeader(proposal.headerHash, hash);
        uint256 until = uint256(proposal.proposedAt) + window;
        if (block.timestamp < until) revert WindowOpen(until);

        delete proposal;
        lastNumber = h.number;
        lastHeader = hash;
        lastClosing = Headers.closingHash(h);
        logSize = h.logSize;
        _applyPositions(h);
        _suspendDefaults(h);
        _setSupply(h);
        emit Finalized(h.number, hash, lastClosing, h.logSize);
    }

    /// @inheritdoc ISettlement
    function headerHash(Header calldata h) external pure override returns (bytes32) {
        return Headers.headerHash(h);
    }

    /// @inheritdoc ISettlement
    function closingHash(Header calldata h) external pure override returns (bytes32) {
        return Headers.closingHash(h);
    }

    /// @inheritdoc ISettlement
    function digest(Header calldata h) external view override returns (bytes32) {
        return _hashTypedDataV4(Headers.headerHash(h));
    }

    /// @dev The header follows the last final one.
    function _requireNext(Header calldata h) private view {
        if (h.programme != programme) revert WrongProgramme(programme, h.programme);
        if (h.number != lastNumber + 1) revert WrongNumber(lastNumber + 1, h.number);
        if (h.attempt != nextAttempt) revert WrongAttempt(nextAttempt, h.attempt);
        if (h.previousHeader != lastHeader) revert WrongPreviousHeader(lastHeader, h.previousHeader);
        if (h.previousClosing != lastClosing) revert WrongPreviousClosing(lastClosing, h.previousClosing);
        if (h.logSize < logSize) revert LogShrinks(logSize, h.logSize);
        if (h.claimRoot != 0) revert ClaimsNotOpen(h.claimRoot, 0, 0);
    }

    /// @dev Ids known and rising, no word of nothing, and what some receive others pay.
    function _requireBalanced(bytes calldata words) private view {
        uint256 n = Words.count(words, Words.POSITION);
        uint16 previous = 0;
        int256 sum = 0;
        for (uint256 i = 0; i < n; ++i) {
            (uint16 id, int112 net) = Words.position(words, i);
            Words.requireRising(previous, id);
            previous = id;
            if (!known(id)) revert UnknownParty(id);
            if (net == 0) revert ZeroNet(id);
            sum += net;
        }
        if (sum != 0) revert Unbalanced(sum);
    }

    /// @dev One record per currency, in order: a currency left out would keep a stale supply.
    function _requireSupply(Header calldata h) private view {
        uint256 n = Words.count(h.supply, Words.SUPPLY);
        if (n != _currencies.length) revert WrongCurrencies(_currencies.length, n);
        for (uint256 i = 0; i < n; ++i) {
            (uint256 currency,,, uint256 w, uint256 r) = Words.supply(h.supply, i);
            if (currency != _currencies[i]) revert WrongCurrency(_currencies[i], currency);
            if (w != 0 || r != 0) revert ClaimsNotOpen(h.claimRoot, w, r);
        }
    }

    /// @dev The outcome is possible now. Collateral only grows until `finalize`, so it stays possible.
    function _requireCovered(Header calldata h) private view {
        for (uint256 i = 0; i < h.positions.length / Words.POSITION; ++i) {
            (uint16 id, int112 net) = Words.position(h.positions, i);
            _settled(h, id, net);
        }
        uint256 n = Words.count(h.defaults, Words.DEFAULT);
        uint16 previous = 0;
        for (uint256 i = 0; i < n; ++i) {
            uint16 id = Words.defaulter(h.defaults, i);
            Words.requireRising(previous, id);
            previous = id;
            uint256 left = _settled(h, id, Words.netOf(h.positions, id));
            if (left >= _parties[id].floor) revert NotInDefault(id, left, _parties[id].floor);
        }
    }

    /// @dev The party's collateral once its position is applied. Only a debit can break the floor: a partner that is
    /// below it and receives is none the worse.
    function _settled(Header calldata h, uint16 id, int112 net) private view returns (uint128 left) {
        Party storage party = _parties[id];
        if (net >= 0) return party.collateral + uint112(net);
        uint256 debit = uint256(-int256(net));
        if (party.collateral < debit) revert NotCovered(id, party.collateral, debit);
        left = party.collateral - uint128(debit);
        if (left < party.floor && !Words.names(h.defaults, id)) revert BelowFloor(id, left, party.floor);
    }

    function _requireQuorum(bytes32 signed, bytes calldata signatures) private view {
        uint256 n = Words.count(signatures, Words.SIGNATURE);
        if (n < quorum()) revert BelowQuorum(quorum(), n);
        uint16 previous = 0;
        for (uint256 i = 0; i < n; ++i) {
            (uint16 id, bytes32 r, bytes32 s, uint8 v) = Words.signature(signatures, i);
            Words.requireRising(previous, id);
            previous = id;
            Party storage party = _parties[id];
            if (party.signer == address(0) || party.suspended) revert NotASigner(id);
            // the zero address stands for a malformed signature, a high s among them, and is nobody's signer
            (address recovered,,) = ECDSA.tryRecover(signed, v, r, s);
            if (recovered != party.signer) revert BadSignature(id, recovered);
        }
    }

    function _applyPositions(Header calldata h) private {
        for (uint256 i = 0; i < h.positions.length / Words.POSITION; ++i) {
            (uint16 id, int112 net) = Words.position(h.positions, i);
            uint128 left = _settled(h, id, net);
            _parties[id].collateral = left;
            emit PositionSettled(h.number, id, net, left);
        }
    }

    function _suspendDefaults(Header calldata h) private {
        for (uint256 i = 0; i < h.defaults.length / Words.DEFAULT; ++i) {
            uint16 id = Words.defaulter(h.defaults, i);
            Party storage party = _parties[id];
            if (party.collateral >= party.floor) {
                emit DefaultCured(h.number, id);
            } else if (!party.suspended) {
                party.suspended = true;
                --_active;
                emit PartnerSuspended(h.number, id);
            }
        }
    }

    /// @dev Total supply follows the books: C + W - R. The difference is minted into custody or retired from it.
    function _setSupply(Header calldata h) private {
        for (uint256 i = 0; i < _currencies.length; ++i) {
            (,, uint256 c, uint256 w, uint256 r) = Words.supply(h.supply, i);
            uint16 currency = _currencies[i];
            Points held = Points(points[currency]);
            uint256 owed = c + w - r;
            uint256 supply = held.totalSupply();
            if (owed > supply) held.mint(owed - supply);
            else if (owed < supply) held.retire(supply - owed);
            emit SupplySet(h.number, currency, owed);
        }
    }
}
