//! The adapters against a scripted server: real SDK, real sockets.

mod credentials;
mod definitions;
mod errors;
mod images;
mod observe;
pub(crate) mod server;
mod web_identity;
mod writes;
