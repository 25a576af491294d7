// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IProgramme, Key, Partner} from "./interfaces/IProgramme.sol";
import {Programme} from "./Programme.sol";

/// @title What the timelock changes, the guardian stops, and a signer gives up.
abstract contract Changes is Programme {
    uint40 private constant PAUSE = 7 days;
    uint40 private constant COOL_DOWN = 7 days;

    modifier onlyTimelock() {
        _requireTimelock();
        _;
    }

    /// @inheritdoc IProgramme
    function pause() external override {
        if (msg.sender != guardian) revert NotGuardian(msg.sender);
        uint40 last = _state.pausedUntil;
        if (last != 0 && block.timestamp < last + COOL_DOWN) revert PauseTooSoon(last + COOL_DOWN);
        uint40 until = uint40(block.timestamp) + PAUSE;
        _state.pausedUntil = until;
        emit Paused(until);
    }

    /// @inheritdoc IProgramme
    function retire(uint16 id) external override {
        Voice storage voice = _voices[id];
        if (msg.sender != voice.signer) revert NotTheSigner(id, msg.sender);
        voice.signer = address(0);
        delete requested[id];
        if (!voice.suspended) --_state.active;
        emit SignerChanged(id, address(0));
    }

    /// @inheritdoc IProgramme
    function addPartners(Partner[] calldata list) external override onlyTimelock {
        for (uint256 i = 0; i < list.length; ++i) {
            _register(list[i].id, list[i].signer, list[i].floor);
        }
    }

    /// @inheritdoc IProgramme
    function setSigner(uint16 id, address signer) external override onlyTimelock {
        _requirePartner(id);
        Voice storage voice = _voices[id];
        if (voice.signer == address(0) && !voice.suspended) ++_state.active;
        _takeSigner(id, signer);
        emit SignerChanged(id, signer);
    }

    /// @inheritdoc IProgramme
    function setFloor(uint16 id, uint112 floor) external override onlyTimelock {
        _requirePartner(id);
        _parties[id].floor = floor;
        emit FloorChanged(id, floor);
    }

    /// @inheritdoc IProgramme
    function reinstate(uint16 id) external override onlyTimelock {
        Voice storage voice = _voices[id];
        if (!voice.suspended) revert NotSuspended(id);
        voice.suspended = false;
        if (voice.signer != address(0)) ++_state.active;
        emit PartnerReinstated(id);
    }

    /// @inheritdoc IProgramme
    function addCurrency(address points_) external override onlyTimelock {
        _addCurrency(points_);
    }

    /// @inheritdoc IProgramme
    function setCounterfoilKey(address key, uint64 fromSize) external override onlyTimelock {
        if (key == address(0)) revert Missing("counterfoilKey");
        _append(_counterfoilKeys, bytes32(uint256(uint160(key))), fromSize);
        emit CounterfoilKeyChanged(key, fromSize);
    }

    /// @inheritdoc IProgramme
    function setCheckpointKey(bytes32 key, uint64 fromSize) external override onlyTimelock {
        if (key == 0) revert Missing("checkpointKey");
        _append(_checkpointKeys, key, fromSize);
        emit CheckpointKeyChanged(key, fromSize);
    }

    /// @inheritdoc IProgramme
    function setOperator(address operator_) external override onlyTimelock {
        if (operator_ == address(0)) revert Missing("operator");
        operator = operator_;
        emit OperatorChanged(operator_);
    }

    /// @inheritdoc IProgramme
    function setGuardian(address guardian_) external override onlyTimelock {
        guardian = guardian_;
        emit GuardianChanged(guardian_);
    }

    /// @inheritdoc IProgramme
    function setRulebook(bytes32 rulebook_) external override onlyTimelock {
        rulebook = rulebook_;
        emit RulebookChanged(rulebook_);
    }

    /// @inheritdoc IProgramme
    function setSuccessor(address successor_) external override onlyTimelock {
        successor = successor_;
        emit SuccessorChanged(successor_);
    }

    /// @dev Not in the modifier, which is copied wherever it stands.
    function _requireTimelock() private view {
        if (msg.sender != timelock) revert OnlyTimelock(msg.sender);
    }

    function _requirePartner(uint16 id) private view {
        if (!_parties[id].partner) revert UnknownPartner(id);
    }

    /// @dev Keys hold from a size on that is not settled yet, so no key is replaced for what it signed and is final.
    function _append(Key[] storage keys, bytes32 key, uint64 fromSize) private {
        uint64 earliest = keys[keys.length - 1].fromSize + 1;
        if (earliest < _state.logSize) earliest = _state.logSize;
        if (fromSize < earliest) revert KeyTooEarly(earliest, fromSize);
        keys.push(Key(key, fromSize));
    }
}
