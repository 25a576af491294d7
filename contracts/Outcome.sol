// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Claims} from "./Claims.sol";
import {Collateral} from "./Collateral.sol";
import {Header} from "./interfaces/Header.sol";
import {IPoints} from "./interfaces/IPoints.sol";
import {ISettlement} from "./interfaces/ISettlement.sol";
import {Words} from "./libraries/Words.sol";

/// @title What a header must say to be possible, and what it does once it is final.
/// @dev What is checked when a header is proposed stays true until it is final: collateral leaves only as far as it is
/// free, what came back on chain only grows, and nothing else changes W and R. So nothing is checked twice.
abstract contract Outcome is Collateral, Claims {
    /// @inheritdoc ISettlement
    bytes32 public override lastClosing;

    /// @dev The header follows the last final one.
    function _requireNext(Header calldata h, State memory state) internal view {
        if (h.programme != programme) revert WrongProgramme(programme, h.programme);
        if (h.number != state.number + 1) revert WrongNumber(state.number + 1, h.number);
        if (h.attempt != state.attempt) revert WrongAttempt(state.attempt, h.attempt);
        bytes32 last = _headers[state.number % 2];
        if (h.previousHeader != last) revert WrongPreviousHeader(last, h.previousHeader);
        if (h.previousClosing != lastClosing) revert WrongPreviousClosing(lastClosing, h.previousClosing);
        if (h.logSize < state.logSize) revert LogShrinks(state.logSize, h.logSize);
        SafeCast.toUint48(h.logSize);
    }

    /// @dev Gross words and positions are well formed, every debit is covered, and who falls below its floor is named,
    /// truly.
    function _requirePayable(Header calldata h) internal view {
        // mostly they are the same words, which need no second look
        if (keccak256(h.gross) != keccak256(h.positions)) _requireBalanced(h.gross, h.defaults, false);
        _requireBalanced(h.positions, h.defaults, true);
        uint256 n = Words.count(h.defaults, Words.DEFAULT);
        uint256 previous = 0;
        for (uint256 i = 0; i < n; ++i) {
            uint16 id = Words.defaulter(h.defaults, i);
            Words.requireRising(previous, id);
            previous = id;
            uint112 left = _settled(id, _parties[id].collateral, Words.netOf(h.positions, id));
            if (left >= _parties[id].floor) revert NotInDefault(id, left, _parties[id].floor);
        }
    }

    /// @dev One record per currency: one left out would keep a stale supply. Each fits into what the books can say.
    function _requireSupply(Header calldata h, uint256 required) internal view {
        uint256 n = Words.count(h.supply, Words.SUPPLY);
        if (n != required) revert WrongCurrencies(required, n);
        uint256 previous = 0;
        uint256 withdrawn = 0;
        for (uint256 i = 0; i < n; ++i) {
            (uint256 id, uint256 c, uint256 w, uint256 r) = Words.supply(h.supply, i);
            Words.requireRising(previous, id);
            previous = id;
            if (id > type(uint16).max) revert UnknownCurrency(id);
            _requireFlows(uint16(id), w, r);
            SafeCast.toUint112(c);
            withdrawn += SafeCast.toUint96(w);
        }
        if ((withdrawn == 0) != (h.claimRoot == 0)) revert WrongClaimRoot(h.claimRoot, withdrawn);
    }

    function _applyPositions(Header calldata h) internal {
        bytes calldata words = h.positions;
        bytes memory settled = new bytes(2 * words.length);
        for (uint256 start = 0; start < words.length;) {
            (uint16 id, int112 net) = Words.position(words, start);
            Party storage party = _parties[id];
            uint112 left = _settled(id, party.collateral, net);
            party.collateral = left;
            Words.putSettled(settled, 2 * start, id, net, left);
            unchecked {
                start += Words.POSITION;
            }
        }
        emit PositionsSettled(h.number, settled);
    }

    function _suspendDefaults(Header calldata h) internal {
        for (uint256 i = 0; i < h.defaults.length / Words.DEFAULT; ++i) {
            uint16 id = Words.defaulter(h.defaults, i);
            Party storage party = _parties[id];
            Voice storage voice = _voices[id];
            if (party.collateral >= party.floor) {
                emit DefaultCured(h.number, id);
            } else if (!voice.suspended) {
                voice.suspended = true;
                if (voice.signer != address(0)) --_state.active;
                emit PartnerSuspended(h.number, id);
            }
        }
    }

    /// @dev Total supply follows the books: C + W - R. What was withdrawn newly becomes claimable.
    function _setSupply(Header calldata h) internal {
        for (uint256 i = 0; i < h.supply.length / Words.SUPPLY; ++i) {
            (uint256 id, uint256 c, uint256 w, uint256 r) = Words.supply(h.supply, i);
            Coin storage coin = _coins[uint16(id)];
            uint256 before = coin.withdrawn;
            if (w != before) coin.withdrawn = uint96(w);
            // nothing withdrawn, nothing to return
            if (w != 0 && r != coin.returned) coin.returned = uint128(r);
            IPoints(coin.points).settle(c + w - r, w - before);
            emit SupplySet(h.number, uint16(id), c + w - r);
        }
    }

    /// @dev Ids known and rising, no word of nothing, and what some receive others pay; if it is to be paid, out of
    /// collateral. Only a debit can break the floor: a partner that is below it and receives is none the worse.
    function _requireBalanced(bytes calldata words, bytes calldata defaults, bool paid) private view {
        Words.count(words, Words.POSITION);
        uint16 previous = 0;
        int256 sum = 0;
        for (uint256 start = 0; start < words.length;) {
            (uint16 id, int112 net) = Words.position(words, start);
            if (id <= previous) revert UnsortedId(previous, id);
            previous = id;
            Party storage party = _parties[id];
            if (!party.partner && id > LAST_RESERVED) revert UnknownParty(id);
            if (net < 0) {
                if (paid) {
                    uint112 left = _settled(id, party.collateral, net);
                    if (left < party.floor && !Words.names(defaults, id)) revert BelowFloor(id, left, party.floor);
                }
            } else if (net == 0) {
                revert ZeroNet(id);
            }
            unchecked {
                sum += net; // as many words of 112 bits as it takes to overflow fit into no block
                start += Words.POSITION;
            }
        }
        if (sum != 0) revert Unbalanced(sum);
    }

    /// @dev W and R never fall, and R is bounded by what came back on chain, which W bounds.
    function _requireFlows(uint16 id, uint256 w, uint256 r) private view {
        Coin storage coin = _coins[id];
        if (coin.points == address(0)) revert UnknownCurrency(id);
        if (w < coin.withdrawn) revert WithdrawnFalls(id, coin.withdrawn, w);
        if (w == 0 && r == 0) return;
        if (r < coin.returned) revert ReturnedFalls(id, coin.returned, r);
        if (r > coin.givenBack) revert NotReturned(id, coin.givenBack, r);
    }

    /// @dev The party's collateral once its position is applied. Unchecked: no more than the total, which is bounded,
    /// can be paid, and a debit is compared before.
    function _settled(uint16 id, uint112 held, int112 net) private pure returns (uint112) {
        unchecked {
            if (net >= 0) return held + uint112(net);
            uint256 debit = uint256(-int256(net));
            if (held < debit) revert NotCovered(id, held, debit);
            return held - uint112(debit);
        }
    }
}
