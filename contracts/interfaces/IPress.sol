// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Currency} from "./IProgramme.sol";

/// @title Deploys the contracts of a programme's currencies, all from the same code.
/// @notice Anyone can have one deployed. It is worth nothing until Settlement registers it, which it does for what was
/// made here, alone: in its constructor, or when the partners' quorum says so.
/// @dev Apart from Settlement, because the code of Points would take a quarter of the room that a contract may have.
interface IPress {
    event Deployed(uint16 indexed currency, address points);

    /// @notice Deploys Points at an address that anyone can compute before: of this contract, the currency's number as
    /// salt, and the code with name and symbol.
    function deploy(Currency calldata currency) external returns (address points);

    /// @notice The Settlement that deployed this contract.
    function settlement() external view returns (address);

    /// @notice Whether this contract deployed `points`.
    function made(address points) external view returns (bool);
}
