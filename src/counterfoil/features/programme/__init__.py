"""What the programme consists of beside partners and members: brands' own currencies, promotions."""
