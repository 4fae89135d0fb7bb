//! The adapters against a scripted server: real SDK, real sockets.

mod alarms;
mod credentials;
mod definitions;
mod errors;
mod images;
mod observe;
mod pages;
mod refused_keys;
mod scalers;
mod scaling;
pub(crate) mod server;
mod web_identity;
mod weights;
mod writes;
