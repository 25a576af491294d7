// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice What the claim tree says: `account` withdrew `cumulative` points of a currency, ever.
struct Claim {
    address account;
    uint16 currency;
    uint256 cumulative;
    bytes32[] proof;
}

/// @notice Leave to act for an account, signed by it over EIP-712 typed data of this contract.
/// @param nonce The account's next one.
/// @param deadline The last second in which it holds.
/// @param signature 65 bytes r, s, v of the account's key, or what the account, a contract, accepts by ERC-1271.
struct Permission {
    uint256 nonce;
    uint256 deadline;
    bytes signature;
}

/// @title Points in members' own wallets: out by a proof, back by hand.
/// @notice The claim tree is OpenZeppelin's StandardMerkleTree over (address account, uint16 currency, uint256
/// cumulative): leaves hashed twice, pairs sorted. Amounts are cumulative for ever, so a missed settlement costs
/// nothing, and nothing can be claimed twice. The last two final roots that differ are good; claims never stop.
interface IClaims {
    /// @notice No point moves.
    error ZeroAmount();
    /// @notice There is no such currency.
    error UnknownCurrency(uint256 currency);
    /// @notice The proof leads to none of the roots that are good.
    error BadProof(address account, uint16 currency, uint256 cumulative);
    /// @notice The account has claimed as much or more already.
    error NothingToClaim(address account, uint16 currency, uint256 claimed);
    /// @notice The permission was for another nonce.
    error WrongNonce(address account, uint256 expected, uint256 given);
    /// @notice The permission came too late.
    error Expired(uint256 deadline);
    /// @notice The account did not sign this, here.
    error BadPermission(address account, address recovered);
    /// @notice No partner has this id.
    error UnknownPartner(uint16 id);
    /// @notice A suspended partner takes no points.
    error SuspendedPartner(uint16 id);
    /// @notice Nobody follows this programme yet.
    error NoSuccessor();
    /// @notice The successor names points that are this programme's own, or its settlement token.
    error NotASuccessors(address points);

    event Claimed(address indexed account, uint16 indexed currency, address recipient, uint256 amount, uint256 cumulative);
    event GivenBack(address indexed account, uint16 indexed currency, uint256 amount, bytes32 ref);
    event Redeemed(
        address indexed account, uint16 indexed currency, uint16 indexed partner, uint256 amount, bytes32 ref
    );
    event Migrated(address indexed account, uint16 indexed currency, uint256 amount, address successor);

    /// @notice Pays the caller what it has not claimed yet.
    function claim(uint16 currency, uint256 cumulative, bytes32[] calldata proof) external;

    /// @notice Pays accounts, one or many, what they have not claimed yet. Anyone, for anyone. Who has claimed already is
    /// passed over: another may have been faster.
    function claimMany(Claim[] calldata claims) external;

    /// @notice Pays what the caller has not claimed yet to `recipient`.
    function claimTo(address recipient, uint16 currency, uint256 cumulative, bytes32[] calldata proof) external;

    /// @notice The same for an account that signed it. Anyone may send it.
    function claimFor(Claim calldata claim, address recipient, Permission calldata permission) external;

    /// @notice Takes points of the caller back into custody. They are in the books once a settlement says so.
    /// @param ref What the books need to know it by; nothing about a person.
    function giveBack(uint16 currency, uint256 amount, bytes32 ref) external;

    /// @notice The same for an account that signed it. Anyone may send it.
    function giveBackFor(
        address account,
        uint16 currency,
        uint256 amount,
        bytes32 ref,
        Permission calldata permission
    ) external;

    /// @notice Gives points of the caller back and names the partner at which they are used.
    function redeem(uint16 currency, uint16 partner, uint256 amount, bytes32 ref) external;

    /// @notice The same for an account that signed it. Anyone may send it.
    function redeemFor(
        address account,
        uint16 currency,
        uint16 partner,
        uint256 amount,
        bytes32 ref,
        Permission calldata permission
    ) external;

    /// @notice Swaps points of the caller for as many of the successor's, out of those that this contract holds. It
    /// gets them as any account does: the successor's claim tree has a leaf for it, and anyone pushes the claim.
    /// @dev The old points go back into custody and count as returned.
    function migrate(uint16 currency, uint256 amount) external;

    /// @notice The last final claim root, zero until something was withdrawn.
    function claimRoot() external view returns (bytes32);
    /// @notice The root before it, which is still good.
    function previousClaimRoot() external view returns (bytes32);
    /// @notice What an account has claimed of a currency, ever.
    function claimed(address account, uint16 currency) external view returns (uint256);
    /// @notice The nonce of an account's next permission.
    function nonces(address account) external view returns (uint256);
    /// @notice Of a currency, ever: withdrawn W and returned R as of the last final settlement, and what came back on
    /// chain until now, which bounds R.
    function totals(uint16 currency) external view returns (uint256 withdrawn, uint256 returned, uint256 givenBack);
}
