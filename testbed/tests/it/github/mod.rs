//! GitHub as its callers see it, over real sockets.

mod access;
mod bed;
mod comments;
mod compare;
mod deployments;
mod faults;
mod labels;
mod oidc;
mod pulls;
