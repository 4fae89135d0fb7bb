//! All texts for users, as pure functions of values: log lines, sentences, summary, outputs, links. No I/O, no clock.

pub(crate) mod about;
pub(crate) mod comment;
mod comparison;
pub(crate) mod findings;
#[cfg(test)]
pub(crate) mod fixtures;
pub(crate) mod github_texts;
mod going_live;
mod headline;
pub(crate) mod labels;
pub(crate) mod line;
pub(crate) mod links;
pub(crate) mod log;
mod log_tail;
pub(crate) mod mark;
mod markdown;
mod names;
pub(crate) mod outputs;
mod paste;
pub(crate) mod secrets;
pub(crate) mod status;
pub(crate) mod strip;
pub(crate) mod summary;
pub(crate) mod timeline;
mod ways;
pub(crate) mod words;
