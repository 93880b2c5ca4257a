"""One file per hardware unit type; `simulator.hardware.registry` finds them by looking into this folder."""
