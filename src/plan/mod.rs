//! The pure core: a snapshot and the time in, a value out. Knows no AWS, no GitHub, no clock and no log.

pub(crate) mod color;
pub(crate) mod definition;
pub(crate) mod look;
pub(crate) mod near;
pub(crate) mod snapshot;
pub(crate) mod time;
pub(crate) mod trouble;
