"""Published cost models, each in its own file with its source; none of them is corrected or calibrated."""
