// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Changes} from "./Changes.sol";
import {Header} from "./interfaces/Header.sol";
import {Config} from "./interfaces/IProgramme.sol";
import {ISettlement} from "./interfaces/ISettlement.sol";
import {Headers} from "./libraries/Headers.sol";
import {Signatures} from "./libraries/Signatures.sol";
import {Words} from "./libraries/Words.sol";
import {Outcome} from "./Outcome.sol";
import {Programme} from "./Programme.sol";

contract Settlement is Changes, Outcome {
    bytes32 private constant CONFIRMATION_TYPEHASH = keccak256("Confirmation(bytes32 header,uint16 challenger)");

    /// @dev The last header each partner challenged, and when.
    mapping(uint16 id => bytes32) private _challenged;
    uint40 private _challengedAt;

    constructor(Config memory config) Programme(config) {}

    /// @inheritdoc ISettlement
    function propose(Header calldata h, bytes calldata signatures) external override {
        if (msg.sender != operator) revert NotOperator(msg.sender);
        State memory state = _state;
        if (block.timestamp < state.pausedUntil) revert PausedUntil(state.pausedUntil);
        if (state.proposed) revert AlreadyProposed(state.number + 1, _standing());
        _requireNext(h, state);
        _requirePayable(h);
        _requireSupply(h, state.currencies);
        bytes32 hash = Headers.headerHash(h);
        requireQuorum(hash, signatures);

        _headers[h.number % 2] = hash;
        state.proposed = true;
        state.movedAt = uint40(block.timestamp);
        _state = state;
        emit Proposed(h.number, h.attempt, hash, block.timestamp + window);
    }

    /// @inheritdoc ISettlement
    function challenge(uint16 id, Header calldata h) external override {
        if (msg.sender != _voices[id].signer) revert NotTheSigner(id, msg.sender);
        _requireUnchallenged(_state);
        uint256 until = uint256(_state.movedAt) + window;
        if (block.timestamp >= until) revert WindowClosed(until);
        uint256 debit = _debit(id, h, false); // and `h` is the header that stands
        bytes32 hash = _standing();
        if (_challenged[id] == hash) revert ChallengedBefore(id, hash);
        uint256 free = _free(id, debit);
        if (free < bond) revert NotFree(id, free, bond);

        _challenged[id] = hash;
        _challengedAt = uint40(block.timestamp);
        _state.challenger = id;
        _parties[id].collateral -= bond;
        emit BondMoved(id, -int256(uint256(bond)), _parties[id].collateral);
        emit Challenged(h.number, h.attempt, id, hash, block.timestamp + answer);
    }

    /// @inheritdoc ISettlement
    function confirm(bytes calldata signatures) external override {
        uint16 id = _requireChallenged();
        uint256 until = uint256(_challengedAt) + answer;
        if (block.timestamp >= until) revert AnswerClosed(until);
        bytes32 hash = _standing();
        requireQuorum(keccak256(abi.encode(CONFIRMATION_TYPEHASH, hash, id)), signatures);

        _state.challenger = 0;
        _returnBond(OPERATOR_ID);
        emit Confirmed(_state.number + 1, _state.attempt, id, hash);
    }

    /// @inheritdoc ISettlement
    function uphold() external override {
        uint16 id = _requireChallenged();
        uint256 until = uint256(_challengedAt) + answer;
        if (block.timestamp < until) revert AnswerOpen(until);
        _void(id);
    }

    /// @inheritdoc ISettlement
    function concede() external override {
        if (msg.sender != operator) revert NotOperator(msg.sender);
        _void(_requireChallenged());
    }

    /// @inheritdoc ISettlement
    function finalize(Header calldata h) external override {
        State memory state = _state;
        if (block.timestamp < state.pausedUntil) revert PausedUntil(state.pausedUntil);
        _requireUnchallenged(state);
        bytes32 hash = Headers.headerHash(h);
        if (hash != _standing()) revert WrongHeader(_standing(), hash);
        uint256 until = uint256(state.movedAt) + window;
        if (block.timestamp < until) revert WindowOpen(until);

        state.proposed = false;
        state.movedAt = uint40(block.timestamp);
        state.number = uint48(h.number); // the last plus one
        state.attempt = 1;
        state.logSize = uint48(h.logSize); // it fitted when it was proposed
        _state = state;
        lastClosing = Headers.closingHash(h);
        if (h.claimRoot != claimRoot) {
            previousClaimRoot = claimRoot;
            claimRoot = h.claimRoot;
        }
        _applyPositions(h);
        _suspendDefaults(h);
        _setSupply(h);
        emit Finalized(h.number, hash, lastClosing, h.logSize);
    }

    /// @inheritdoc ISettlement
    function lastNumber() external view override returns (uint64) {
        return _state.number;
    }

    /// @inheritdoc ISettlement
    function lastHeader() external view override returns (bytes32) {
        return _headers[_state.number % 2];
    }

    /// @inheritdoc ISettlement
    function logSize() external view override returns (uint64) {
        return _state.logSize;
    }

    /// @inheritdoc ISettlement
    function nextAttempt() external view override returns (uint32) {
        return _state.attempt;
    }

    /// @inheritdoc ISettlement
    function proposal() external view override returns (bytes32 headerHash_, uint64 number, uint64 proposedAt) {
        if (_state.proposed) return (_standing(), _state.number + 1, _state.movedAt);
    }

    /// @inheritdoc ISettlement
    function challenger() external view override returns (uint16 id, uint256 answerUntil) {
        id = _state.challenger;
        if (id != 0) answerUntil = uint256(_challengedAt) + answer;
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
        return _digest(Headers.headerHash(h));
    }

    /// @inheritdoc ISettlement
    function requireQuorum(bytes32 structHash, bytes calldata signatures) public view override {
        bytes32 signed = _digest(structHash);
        uint256 n = 0;
        uint256 next = 0;
        uint16 previous = 0;
        while (next < signatures.length) {
            uint16 id;
            bytes calldata signature;
            (id, signature, next) = Words.signature(signatures, next);
            Words.requireRising(previous, id);
            previous = id;
            Voice storage voice = _voices[id];
            if (voice.signer == address(0) || voice.suspended) revert NotASigner(id);
            (bool good, address recovered) = Signatures.check(voice.signer, signed, signature);
            if (!good) revert BadSignature(id, recovered);
            unchecked {
                ++n;
            }
        }
        if (n < quorum()) revert BelowQuorum(quorum(), n);
    }

    /// @dev The challenge is upheld: the number is free again, for its next attempt.
    function _void(uint16 id) private {
        bytes32 hash = _standing();
        State memory state = _state;
        emit Voided(state.number + 1, state.attempt, hash);
        state.proposed = false;
        state.challenger = 0;
        ++state.attempt;
        _state = state;
        _returnBond(id);
    }

    function _returnBond(uint16 id) private {
        _parties[id].collateral += bond;
        emit BondMoved(id, int256(uint256(bond)), _parties[id].collateral);
    }

    /// @dev Header hash of the proposal.
    function _standing() private view returns (bytes32) {
        return _headers[(_state.number + 1) % 2];
    }

    function _requireChallenged() private view returns (uint16 id) {
        id = _state.challenger;
        if (id == 0) revert NotChallenged();
    }

    function _requireUnchallenged(State memory state) private pure {
        if (!state.proposed) revert NothingProposed();
        if (state.challenger != 0) revert ChallengeStands(state.challenger);
    }
}
