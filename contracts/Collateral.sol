// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Header} from "./interfaces/Header.sol";
import {ICollateral} from "./interfaces/ICollateral.sol";
import {Headers} from "./libraries/Headers.sol";
import {Words} from "./libraries/Words.sol";
import {Programme} from "./Programme.sol";

/// @title What parties deposit, and how it leaves.
abstract contract Collateral is Programme, ReentrancyGuard {
    using SafeERC20 for IERC20;

    /// @dev Nothing proposed and nothing final for so long: then the programme is taken for abandoned.
    uint256 private constant SILENCE = 30 days;

    uint112 private _totalCollateral;
    /// @inheritdoc ICollateral
    mapping(uint16 id => address) public override payeeOf;

    /// @inheritdoc ICollateral
    function depositCollateral(uint16 id, uint256 amount) external override nonReentrant {
        Party storage party = _parties[id];
        if (!known(id)) revert UnknownParty(id);
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
        uint256 arrived = IERC20(token).balanceOf(address(this)) - before;

        // the total is bounded here; positions sum to zero, so no single party can ever exceed it
        _totalCollateral = SafeCast.toUint112(_totalCollateral + arrived);
        party.collateral += uint112(arrived);
        emit CollateralDeposited(id, msg.sender, arrived, party.collateral);
    }

    /// @inheritdoc ICollateral
    function requestCollateral(uint16 id, uint112 amount, address to) external override {
        _requireSigner(id);
        if (to == address(0)) revert Missing("to");
        address payee = payeeOf[id];
        if (payee != address(0) && to != payee) revert NotThePayee(id, to);
        uint64 number = _state.number + 1;
        requested[id] = Request(amount, number, to);
        emit CollateralRequested(id, to, amount, number);
    }

    /// @inheritdoc ICollateral
    function setPayee(uint16 id, address payee) external override {
        address before = payeeOf[id];
        if (before == address(0)) _requireSigner(id);
        else if (msg.sender != before) revert NotThePayee(id, msg.sender);
        payeeOf[id] = payee;
        delete requested[id];
        emit PayeeChanged(id, payee);
    }

    /// @inheritdoc ICollateral
    function withdrawCollateral(uint16 id, Header calldata h) external override nonReentrant {
        Request storage request = requested[id];
        uint256 amount = request.amount;
        if (amount == 0) revert NothingRequested(id);
        bool silent = block.timestamp >= silentFrom();
        if (!silent && _state.number < request.number) revert RequestWaits(request.number);
        uint256 free = _free(id, _debit(id, h, silent));
        if (free == 0) revert NotFree(id, 0, amount);

        if (amount > free) amount = free;
        address to = request.to;
        request.amount -= uint112(amount); // what is free is part of the total, which fits
        _parties[id].collateral -= uint112(amount);
        _totalCollateral -= uint112(amount);
        emit CollateralWithdrawn(id, to, amount, _parties[id].collateral);
        IERC20(token).safeTransfer(to, amount);
    }

    /// @inheritdoc ICollateral
    function collateral(uint16 id) external view override returns (uint256) {
        return _parties[id].collateral;
    }

    /// @inheritdoc ICollateral
    function totalCollateral() external view override returns (uint256) {
        return _totalCollateral;
    }

    /// @inheritdoc ICollateral
    function silentFrom() public view override returns (uint256) {
        return _state.movedAt + SILENCE;
    }

    function _requireSigner(uint16 id) private view {
        address signer = id == OPERATOR_ID ? operator : _voices[id].signer;
        if (msg.sender != signer) revert NotTheSigner(id, msg.sender);
    }

    /// @dev The debit signed against `id`: in the standing proposal, or, in silence, in the last final header.
    function _debit(uint16 id, Header calldata h, bool silent) internal view returns (uint256) {
        State memory state = _state;
        if (!state.proposed && (!silent || state.number == 0)) return 0;
        bytes32 expected = _headers[(state.number + (state.proposed ? 1 : 0)) % 2];
        bytes32 given = Headers.headerHash(h);
        if (given != expected) revert WrongHeader(expected, given);
        int112 net = Words.netOf(h.positions, id);
        return net < 0 ? uint256(-int256(net)) : 0;
    }

    /// @dev What exceeds the floor and a debit.
    function _free(uint16 id, uint256 debit) internal view returns (uint256) {
        uint256 held = _parties[id].collateral;
        uint256 kept = _parties[id].floor + debit;
        return held > kept ? held - kept : 0;
    }
}
