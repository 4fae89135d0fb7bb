//! GitHub's REST API, the only place that names octocrab: small values in and out, no decisions.

mod client;
mod comments;
mod compare;
mod deployments;
mod labels;
mod pulls;

#[cfg(test)]
mod tests;

pub(crate) use client::GitHub;
pub(crate) use comments::{Author, Comment};
pub(crate) use pulls::Pull;

use crate::feedback::GithubError;

/// GitHub's answer.
pub(crate) type GithubResult<T> = Result<T, GithubError>;
