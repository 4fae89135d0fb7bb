//! The runner's protocol: environment, inputs, GitHub's data about the run, log commands and file commands.

pub(crate) mod branch;
pub(crate) mod commands;
mod compare;
pub(crate) mod context;
pub(crate) mod deploy;
#[cfg(test)]
mod docs;
pub(crate) mod env;
pub(crate) mod files;
pub(crate) mod github;
pub(crate) mod identity;
pub(crate) mod input_reader;
pub(crate) mod inputs;
mod other_tools;
pub(crate) mod place;
pub(crate) mod promote;
pub(crate) mod role;
pub(crate) mod settings;
pub(crate) mod share;
pub(crate) mod traffic;
pub(crate) mod variables;
