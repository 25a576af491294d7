// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {ISettlement} from "./interfaces/ISettlement.sol";
import {ITimelock} from "./interfaces/ITimelock.sol";

contract Timelock is ITimelock {
    bytes32 private constant CHANGE_TYPEHASH = keccak256("Change(bytes call,uint256 nonce)");
    bytes32 private constant CANCELLATION_TYPEHASH = keccak256("Cancellation(bytes32 change)");

    /// @inheritdoc ITimelock
    address public immutable override settlement;
    /// @inheritdoc ITimelock
    uint64 public immutable override delay;
    /// @inheritdoc ITimelock
    uint256 public override nonce;
    /// @inheritdoc ITimelock
    mapping(bytes32 change => uint256) public override dueAt;

    constructor(uint64 delay_) {
        settlement = msg.sender;
        delay = delay_;
    }

    /// @inheritdoc ITimelock
    function schedule(bytes calldata call, uint256 nonce_, bytes calldata signatures)
        external
        override
        returns (bytes32 change)
    {
        if (nonce_ != nonce) revert WrongNonce(nonce, nonce_);
        change = _name(call, nonce_);
        ISettlement(settlement).requireQuorum(change, signatures);

        ++nonce;
        uint256 due = block.timestamp + delay;
        dueAt[change] = due;
        emit Scheduled(change, nonce_, call, due);
    }

    /// @inheritdoc ITimelock
    function cancel(bytes32 change, bytes calldata signatures) external override {
        if (dueAt[change] == 0) revert UnknownChange(change);
        // a nonce is used once, so the same change never waits again and this cannot be replayed against it
        ISettlement(settlement).requireQuorum(keccak256(abi.encode(CANCELLATION_TYPEHASH, change)), signatures);

        delete dueAt[change];
        emit Cancelled(change);
    }

    /// @inheritdoc ITimelock
    function execute(bytes calldata call, uint256 nonce_) external override {
        bytes32 change = _name(call, nonce_);
        uint256 due = dueAt[change];
        if (due == 0) revert UnknownChange(change);
        if (block.timestamp < due) revert NotDue(due);

        delete dueAt[change];
        emit Executed(change);
        Address.functionCall(settlement, call);
    }

    function _name(bytes calldata call, uint256 nonce_) private pure returns (bytes32) {
        return keccak256(abi.encode(CHANGE_TYPEHASH, keccak256(call), nonce_));
    }
}
