// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC1155} from "@openzeppelin/contracts/token/ERC1155/ERC1155.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";
import {IRewards, Reward, Voucher} from "./interfaces/IRewards.sol";
import {ISettlement} from "./interfaces/ISettlement.sol";

contract Rewards is IRewards, ERC1155, EIP712 {
    uint256 private constant SERIAL_BITS = 32;
    bytes32 private constant VOUCHER_TYPEHASH =
        keccak256("Voucher(uint256 id,address account,uint40 deadline)");
    bytes32 private constant USE_TYPEHASH =
        keccak256("Use(uint256 id,address account,bytes32 ref,uint256 deadline)");
    bytes32 private constant GIVE_BACK_TYPEHASH =
        keccak256("GiveBack(uint256 id,address account,bytes32 ref,uint256 deadline)");

    /// @inheritdoc IRewards
    address public immutable override settlement;
    mapping(uint256 kind => Reward) private _rewards;
    /// @dev A bit for each token: claims of neighbours share a slot.
    mapping(uint256 word => uint256) private _claimed;

    constructor(address settlement_) ERC1155("") EIP712("Counterfoil Rewards", "1") {
        if (settlement_.code.length == 0) revert BadTerms("settlement");
        settlement = settlement_;
    }

    modifier onlyOperator() {
        if (msg.sender != ISettlement(settlement).operator()) revert NotOperator(msg.sender);
        _;
    }

    /// @inheritdoc IRewards
    function defineReward(uint256 kind, Reward calldata terms) external override onlyOperator {
        if (_rewards[kind].cap != 0) revert AlreadyDefined(kind);
        if (kind > type(uint224).max) revert BadTerms("kind");
        if (terms.issuer == address(0)) revert BadTerms("issuer");
        if (terms.cap == 0) revert BadTerms("cap");
        if (terms.metadata == 0) revert BadTerms("metadata");
        if (terms.until != 0 && terms.until <= block.timestamp) revert BadTerms("until");
        if (terms.partner != 0 && ISettlement(settlement).signerOf(terms.partner) == address(0)) {
            revert UnknownPartner(terms.partner);
        }
        _rewards[kind] = terms;
        emit RewardDefined(kind, terms);
    }

    /// @inheritdoc IRewards
    function replaceIssuer(uint256 kind, address next) external override onlyOperator {
        if (next == address(0)) revert BadTerms("issuer");
        _known(kind).issuer = next;
        emit IssuerReplaced(kind, next);
    }

    /// @inheritdoc IRewards
    function claim(Voucher calldata voucher, bytes32 r, bytes32 vs) external override {
        uint256 id = voucher.id;
        Reward storage terms = _inTime(id >> SERIAL_BITS);
        if (block.timestamp > voucher.deadline) revert TooLate(voucher.deadline);
        if (uint32(id) >= terms.cap) revert BeyondCap(id, terms.cap);
        uint256 word = _claimed[id >> 8];
        uint256 bit = 1 << (id & 0xff);
        if (word & bit != 0) revert AlreadyClaimed(id);
        (address recovered,,) = ECDSA.tryRecover(voucherDigest(voucher), r, vs);
        // the zero address stands for a malformed signature, and is never the issuer
        if (recovered != terms.issuer) revert NotIssued(recovered);

        _claimed[id >> 8] = word | bit;
        _mint(voucher.account, id, 1, "");
    }

    /// @inheritdoc IRewards
    function use(uint256 id, address account, bytes32 ref, uint256 deadline, bytes calldata signature)
        external
        override
    {
        uint16 partner = _inTime(id >> SERIAL_BITS).partner;
        if (partner == 0 || msg.sender != ISettlement(settlement).signerOf(partner)) {
            revert NotThePartner(partner, msg.sender);
        }
        _requireAuthorised(USE_TYPEHASH, id, account, ref, deadline, signature);
        emit Used(id, account, partner, ref);
        _burn(account, id, 1);
    }

    /// @inheritdoc IRewards
    function giveBack(uint256 id, bytes32 ref) external override {
        _giveBack(id, msg.sender, ref);
    }

    /// @inheritdoc IRewards
    function giveBackFor(uint256 id, address account, bytes32 ref, uint256 deadline, bytes calldata signature)
        external
        override
    {
        _requireAuthorised(GIVE_BACK_TYPEHASH, id, account, ref, deadline, signature);
        _giveBack(id, account, ref);
    }

    /// @inheritdoc IRewards
    function reward(uint256 kind) external view override returns (Reward memory) {
        return _known(kind);
    }

    /// @inheritdoc IRewards
    function claimed(uint256 id) external view override returns (bool) {
        return _claimed[id >> 8] & (1 << (id & 0xff)) != 0;
    }

    /// @inheritdoc IRewards
    function voucherDigest(Voucher calldata voucher) public view override returns (bytes32) {
        return _hashTypedDataV4(
            keccak256(abi.encode(VOUCHER_TYPEHASH, voucher.id, voucher.account, voucher.deadline))
        );
    }

    /// @notice The document by its content: an IPFS CID (version 1, raw, SHA-256) in hexadecimal.
    function uri(uint256 id) public view override returns (string memory) {
        bytes memory hex64 = bytes(Strings.toHexString(uint256(_known(id >> SERIAL_BITS).metadata), 32));
        hex64[0] = "2"; // the multihash ends in its length, 0x20, where the 0x of the number stands
        hex64[1] = "0";
        return string.concat("ipfs://f015512", string(hex64));
    }

    function _giveBack(uint256 id, address account, bytes32 ref) private {
        uint256 kind = id >> SERIAL_BITS;
        if (_inTime(kind).soulbound) revert Soulbound(kind);
        emit GivenBack(id, account, ref);
        _burn(account, id, 1);
    }

    function _requireAuthorised(
        bytes32 typehash,
        uint256 id,
        address account,
        bytes32 ref,
        uint256 deadline,
        bytes calldata signature
    ) private view {
        if (block.timestamp > deadline) revert TooLate(deadline);
        bytes32 structHash = keccak256(abi.encode(typehash, id, account, ref, deadline));
        if (!SignatureChecker.isValidSignatureNow(account, _hashTypedDataV4(structHash), signature)) {
            revert NotAuthorised(account);
        }
    }

    function _known(uint256 kind) private view returns (Reward storage terms) {
        terms = _rewards[kind];
        if (terms.cap == 0) revert UnknownReward(kind);
    }

    function _inTime(uint256 kind) private view returns (Reward storage terms) {
        terms = _known(kind);
        if (terms.until != 0 && block.timestamp >= terms.until) revert TooLate(terms.until);
    }

    /// @dev Minting and burning aside, what is bound to an account does not move.
    function _update(address from, address to, uint256[] memory ids, uint256[] memory values) internal override {
        if (from != address(0) && to != address(0)) {
            for (uint256 i = 0; i < ids.length; ++i) {
                uint256 kind = ids[i] >> SERIAL_BITS;
                if (_rewards[kind].soulbound) revert Soulbound(kind);
            }
        }
        super._update(from, to, ids, values);
    }
}
