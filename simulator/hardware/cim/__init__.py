"""Parts of RRAM compute-in-memory tiles that several specs and their users share."""
