//! The containers' processes: small real HTTP servers on loopback.

mod answer;
mod server;

pub use server::Process;
