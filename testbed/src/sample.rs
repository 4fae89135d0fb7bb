//! The sample stack.
