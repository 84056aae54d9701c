//! Goldens and refusals.
