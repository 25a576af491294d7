// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IPress} from "./interfaces/IPress.sol";
import {Currency} from "./interfaces/IProgramme.sol";
import {Points} from "./Points.sol";

contract Press is IPress {
    /// @inheritdoc IPress
    address public immutable override settlement;
    /// @inheritdoc IPress
    mapping(address points => bool) public override made;
    bool private immutable _closedLoop;
    address private immutable _predecessor;

    constructor(bool closedLoop, address predecessor) {
        settlement = msg.sender;
        _closedLoop = closedLoop;
        _predecessor = predecessor;
    }

    /// @inheritdoc IPress
    function deploy(Currency calldata currency) external override returns (address points) {
        points = address(
            new Points{salt: bytes32(uint256(currency.id))}(
                currency.name, currency.symbol, currency.id, settlement, _closedLoop, _predecessor
            )
        );
        made[points] = true;
        emit Deployed(currency.id, points);
    }
}
