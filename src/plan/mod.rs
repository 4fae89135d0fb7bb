//! The pure core: a snapshot and the time in, a value out. Knows no AWS, no GitHub, no clock and no log.

pub(crate) mod color;
pub(crate) mod definition;
pub(crate) mod near;
