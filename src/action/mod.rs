//! The runner's protocol: environment, inputs, what GitHub says about the run, log commands and file commands.

pub(crate) mod commands;
pub(crate) mod context;
#[cfg(test)]
mod docs;
pub(crate) mod env;
pub(crate) mod files;
pub(crate) mod inputs;
