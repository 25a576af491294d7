// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice A kind of reward. It is defined once and its terms never change: who holds one knows what it is.
/// @param partner who honours it, by id in Settlement; 0 for a badge, which nobody takes in
/// @param cap how many there can ever be: serials 0 to cap - 1
/// @param until first second at which it is neither claimed, used nor given back; 0 if there is none
/// @param soulbound whether it stays with the account it was claimed to
/// @param issuer signs its vouchers; the only field that can be replaced
/// @param metadata SHA-256 of the JSON document that describes it
struct Reward {
    address issuer;
    uint16 partner;
    uint32 cap;
    uint40 until;
    bool soulbound;
    bytes32 metadata;
}

/// @notice A promise of one token to one account. It costs nothing until it is claimed.
struct Voucher {
    uint256 id;
    address account;
    uint40 deadline;
}

/// @title A programme's rewards and badges as tokens: ERC-1155, minted when a signed voucher is claimed.
/// @notice Each token has an id of its own, kind << 32 | serial, and there is one of it: what it was bought with in the books
/// is found by its id, and using or giving it back ends it for good.
/// @notice Points are never moved here: a reward is bought in the books, with its money in escrow, and the gateway signs
/// a voucher for the account the member names. Using one burns it and names the partner; giving it back burns it
/// and lets the books restore the points.
///
/// What keeps it safe:
/// - a voucher is EIP-712 over this contract and chain, for one account and one token; a token is claimed once, and
///   serials stop at the cap, so the cap holds whatever the issuer signs;
/// - only the signer of the partner that honours a reward takes it in, and only with the holder's signature, which is
///   good for one token: once burned, it never comes back;
/// - a reward's terms never change, and its document is named by its hash: any copy of it can be checked;
/// - after its last second nothing happens to a reward any more but, if it is no badge of one account, transfers;
/// - the issuer is the key that signs a reward's vouchers; the operator of Settlement replaces it, which voids what it
///   signed and nobody claimed.
interface IRewards {
    event RewardDefined(uint256 indexed kind, Reward terms);
    /// @param ref the partner's own name for the use: the books' voucher, or a slip
    event Used(uint256 indexed id, address indexed account, uint16 indexed partner, bytes32 ref);
    event GivenBack(uint256 indexed id, address indexed account, bytes32 ref);
    event IssuerReplaced(uint256 indexed kind, address issuer);

    /// @notice Only the operator of Settlement defines rewards and replaces the issuer.
    error NotOperator(address caller);
    /// @notice Only the signer of partner `id` takes this reward in.
    error NotThePartner(uint16 id, address caller);
    /// @notice A reward is defined once.
    error AlreadyDefined(uint256 kind);
    error UnknownReward(uint256 kind);
    error UnknownPartner(uint16 id);
    /// @notice A field that must not be zero, or that makes no sense.
    error BadTerms(string field);
    /// @notice The signature is not the issuer's over this voucher.
    error NotIssued(address recovered);
    /// @notice The signature is not the holder's over this use.
    error NotAuthorised(address account);
    error AlreadyClaimed(uint256 id);
    /// @notice Serials of this kind stop before `cap`.
    error BeyondCap(uint256 id, uint32 cap);
    /// @notice It was to be done before `until`.
    error TooLate(uint256 until);
    /// @notice A reward of this kind stays with its account.
    error Soulbound(uint256 kind);

    /// @notice Settles who operates and who signs for a partner.
    function settlement() external view returns (address);
    /// @notice The terms of a kind of reward. Reverts with UnknownReward.
    function reward(uint256 kind) external view returns (Reward memory);
    /// @notice Whether a token was claimed, ever.
    function claimed(uint256 id) external view returns (bool);
    /// @notice The EIP-712 digest that the issuer signs.
    function voucherDigest(Voucher calldata voucher) external view returns (bytes32);

    /// @notice Defines a kind of reward. Reverts with NotOperator, AlreadyDefined, BadTerms, UnknownPartner.
    function defineReward(uint256 kind, Reward calldata terms) external;
    /// @notice Makes `next` sign a kind's vouchers from now on. Reverts with NotOperator, UnknownReward, BadTerms.
    function replaceIssuer(uint256 kind, address next) external;
    /// @notice Mints a token to the account that the voucher names; anyone may send it. The issuer's signature is in the
    /// compact form of EIP-2098, the only one taken. Reverts with UnknownReward, TooLate, BeyondCap, AlreadyClaimed, NotIssued.
    function claim(Voucher calldata voucher, bytes32 r, bytes32 vs) external;
    /// @notice The partner takes a token in: it is burned. `signature` is the holder's over Use(id, account, ref, deadline),
    /// ECDSA or ERC-1271. Reverts with UnknownReward, NotThePartner, TooLate, NotAuthorised.
    function use(uint256 id, address account, bytes32 ref, uint256 deadline, bytes calldata signature) external;
    /// @notice The holder gives one back before it was used: it is burned, and the books restore its points.
    /// Reverts with UnknownReward, TooLate, Soulbound.
    function giveBack(uint256 id, bytes32 ref) external;
    /// @notice The same for a holder without gas, by its signature over GiveBack(id, account, ref, deadline).
    function giveBackFor(uint256 id, address account, bytes32 ref, uint256 deadline, bytes calldata signature) external;
}
