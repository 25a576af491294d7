// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice What one settlement says: the closing (fixed when it closed) and how it came out. Names and order are
/// final: they are the EIP-712 type that partners sign.
/// @param programme The programme this contract serves.
/// @param number Settlements count from 1 without a gap.
/// @param attempt Counts how often this number was closed anew, from 1.
/// @param previousHeader Header hash of the last final settlement, zero for number 1.
/// @param previousClosing Closing hash of the last final settlement, zero for number 1.
/// @param closedAt When the books closed, in the programme's time; never compared with the chain's.
/// @param logSize Size of the log at the close: this settlement is the leaves since the previous one.
/// @param logRoot RFC 6962 root of the log at that size.
/// @param claimRoot Root of the claim tree; zero until something was withdrawn.
/// @param manifest Hash of the manifest of everything published with it.
/// @param gross Words of 16 bytes (uint16 id, int112 micro-units): what each party is owed, before the outcome.
/// @param supply Records of five words: currency, liability root, custodial C, withdrawn W, returned R.
/// @param collateralBlock The final block at which collateral was looked at.
/// @param collateralBlockHash Its hash; compared by the signers, not by the contract.
/// @param positions Words as in `gross`: what is moved between the parties' collateral.
/// @param defaults Packed uint16 ids of the partners that fall below their floor.
struct Header {
    bytes32 programme;
    uint64 number;
    uint32 attempt;
    bytes32 previousHeader;
    bytes32 previousClosing;
    uint64 closedAt;
    uint64 logSize;
    bytes32 logRoot;
    bytes32 claimRoot;
    bytes32 manifest;
    bytes gross;
    bytes supply;
    uint64 collateralBlock;
    bytes32 collateralBlockHash;
    bytes positions;
    bytes defaults;
}
