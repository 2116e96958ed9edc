//! Live shared objects: wiggle its toe here, and it wiggles its toe there.
