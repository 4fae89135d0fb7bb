//! GitHub as its callers see it, over real sockets.

mod bed;
mod comments;
mod labels;
mod pulls;
