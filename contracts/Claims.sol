// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Domain} from "./Domain.sol";
import {Claim, IClaims, Permission} from "./interfaces/IClaims.sol";
import {IPoints} from "./interfaces/IPoints.sol";
import {IPress} from "./interfaces/IPress.sol";
import {IProgramme} from "./interfaces/IProgramme.sol";
import {ClaimTree} from "./libraries/ClaimTree.sol";
import {Signatures} from "./libraries/Signatures.sol";
import {Programme} from "./Programme.sol";

/// @title Points out to members' wallets, and back.
/// @dev Points are this programme's own code and call nobody back, so only `migrate` needs a guard against re-entry.
abstract contract Claims is Programme, Domain, ReentrancyGuard {
    using SafeERC20 for IERC20;

    bytes32 private constant CLAIM_TYPEHASH = keccak256(
        "Claim(address account,address recipient,uint16 currency,uint256 cumulative,uint256 nonce,uint256 deadline)"
    );
    bytes32 private constant GIVE_BACK_TYPEHASH = keccak256(
        "GiveBack(address account,uint16 currency,uint256 amount,bytes32 ref,uint256 nonce,uint256 deadline)"
    );
    bytes32 private constant REDEEM_TYPEHASH = keccak256(
        "Redeem(address account,uint16 currency,uint16 partner,uint256 amount,bytes32 ref,uint256 nonce,"
        "uint256 deadline)"
    );

    /// @inheritdoc IClaims
    bytes32 public override claimRoot;
    /// @inheritdoc IClaims
    bytes32 public override previousClaimRoot;
    /// @inheritdoc IClaims
    mapping(address account => mapping(uint16 currency => uint256)) public override claimed;
    /// @inheritdoc IClaims
    mapping(address account => uint256) public override nonces;

    /// @inheritdoc IClaims
    function claim(uint16 currency, uint256 cumulative, bytes32[] calldata proof) external override {
        _requireProven(msg.sender, currency, cumulative, proof);
        _pay(msg.sender, msg.sender, currency, cumulative);
    }

    /// @inheritdoc IClaims
    function claimMany(Claim[] calldata claims) external override {
        for (uint256 i = 0; i < claims.length; ++i) {
            Claim calldata one = claims[i];
            _requireProven(one.account, one.currency, one.cumulative, one.proof);
            if (claimed[one.account][one.currency] < one.cumulative) {
                _pay(one.account, one.account, one.currency, one.cumulative);
            }
        }
    }

    /// @inheritdoc IClaims
    function claimTo(address recipient, uint16 currency, uint256 cumulative, bytes32[] calldata proof)
        external
        override
    {
        _requireProven(msg.sender, currency, cumulative, proof);
        _pay(msg.sender, recipient, currency, cumulative);
    }

    /// @inheritdoc IClaims
    function claimFor(Claim calldata one, address recipient, Permission calldata permission) external override {
        bytes memory words = abi.encode(CLAIM_TYPEHASH, one.account, recipient, one.currency, one.cumulative);
        _usePermission(one.account, words, permission);
        _requireProven(one.account, one.currency, one.cumulative, one.proof);
        _pay(one.account, recipient, one.currency, one.cumulative);
    }

    /// @inheritdoc IClaims
    function giveBack(uint16 currency, uint256 amount, bytes32 ref) external override {
        _giveBack(msg.sender, currency, amount, ref);
    }

    /// @inheritdoc IClaims
    function giveBackFor(
        address account,
        uint16 currency,
        uint256 amount,
        bytes32 ref,
        Permission calldata permission
    ) external override {
        _usePermission(account, abi.encode(GIVE_BACK_TYPEHASH, account, currency, amount, ref), permission);
        _giveBack(account, currency, amount, ref);
    }

    /// @inheritdoc IClaims
    function redeem(uint16 currency, uint16 partner, uint256 amount, bytes32 ref) external override {
        _redeem(msg.sender, currency, partner, amount, ref);
    }

    /// @inheritdoc IClaims
    function redeemFor(
        address account,
        uint16 currency,
        uint16 partner,
        uint256 amount,
        bytes32 ref,
        Permission calldata permission
    ) external override {
        _usePermission(account, abi.encode(REDEEM_TYPEHASH, account, currency, partner, amount, ref), permission);
        _redeem(account, currency, partner, amount, ref);
    }

    /// @inheritdoc IClaims
    function migrate(uint16 currency, uint256 amount) external override nonReentrant {
        address next = successor;
        if (next == address(0)) revert NoSuccessor();
        _takeBack(msg.sender, currency, amount);
        emit Migrated(msg.sender, currency, amount, next);
        address points_ = IProgramme(next).points(currency);
        // what a false successor might name: the collateral, or what others may still claim here
        if (points_ == token || IPress(press).made(points_)) revert NotASuccessors(points_);
        IERC20(points_).safeTransfer(msg.sender, amount);
    }

    /// @inheritdoc IClaims
    function totals(uint16 currency)
        external
        view
        override
        returns (uint256 withdrawn, uint256 returned, uint256 givenBack)
    {
        Coin storage coin = _coins[currency];
        return (coin.withdrawn, coin.returned, coin.givenBack);
    }

    function _requireProven(address account, uint16 currency, uint256 cumulative, bytes32[] calldata proof)
        private
        view
    {
        bytes32 root = ClaimTree.root(account, currency, cumulative, proof);
        if (root != claimRoot && root != previousClaimRoot) revert BadProof(account, currency, cumulative);
    }

    /// @dev What is claimed is noted before it moves: in a closed loop that makes the account one that may receive.
    function _pay(address account, address recipient, uint16 currency, uint256 cumulative) private {
        mapping(uint16 => uint256) storage own = claimed[account];
        uint256 amount = own[currency];
        if (cumulative <= amount) revert NothingToClaim(account, currency, amount);
        own[currency] = cumulative;
        unchecked {
            amount = cumulative - amount;
        }
        emit Claimed(account, currency, recipient, amount, cumulative);
        // Points answers true or reverts
        IERC20(_points(currency)).transfer(recipient, amount);
    }

    function _giveBack(address account, uint16 currency, uint256 amount, bytes32 ref) private {
        _takeBack(account, currency, amount);
        emit GivenBack(account, currency, amount, ref);
    }

    function _redeem(address account, uint16 currency, uint16 partner, uint256 amount, bytes32 ref) private {
        if (!_parties[partner].partner) revert UnknownPartner(partner);
        if (_voices[partner].suspended) revert SuspendedPartner(partner);
        _takeBack(account, currency, amount);
        emit Redeemed(account, currency, partner, amount, ref);
    }

    /// @dev Into custody. It adds to what can be booked as returned; more than W never can come back.
    function _takeBack(address account, uint16 currency, uint256 amount) private {
        if (amount == 0) revert ZeroAmount();
        IPoints held = IPoints(_points(currency));
        _coins[currency].givenBack += uint128(amount); // a holder has as much, or `take` reverts
        held.take(account, amount);
    }

    function _points(uint16 currency) private view returns (address found) {
        found = _coins[currency].points;
        if (found == address(0)) revert UnknownCurrency(currency);
    }

    /// @dev `words` are the type hash and the fields, without nonce and deadline, which every permission ends with.
    function _usePermission(address account, bytes memory words, Permission calldata permission) private {
        if (block.timestamp > permission.deadline) revert Expired(permission.deadline);
        uint256 nonce = nonces[account];
        if (permission.nonce != nonce) revert WrongNonce(account, nonce, permission.nonce);
        nonces[account] = nonce + 1;
        bytes32 structHash = keccak256(bytes.concat(words, abi.encode(nonce, permission.deadline)));
        (bool good, address recovered) =
            Signatures.check(account, _digest(structHash), permission.signature);
        if (!good) revert BadPermission(account, recovered);
    }
}
