"""What the standards say, as tables. The generator in native/ makes them."""
