"""Plain definitions of what the fast code computes, in Python numbers and straight from the equations."""
