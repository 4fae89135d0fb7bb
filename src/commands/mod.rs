//! The commands, as scripts: what is done in which order. Decisions are in `plan/`, words in `report/`.

mod again;
mod apply;
mod confirm;
mod deploy;
mod drive;
mod feedback;
mod last_look;
mod last_resort;
mod logs;
mod outside;
mod post;
mod poster;
mod prepare;
mod promote;
mod redirect;
mod sending;
mod session;
mod start;
mod state;
mod status;
mod story;
mod tags;

pub use last_resort::{guarded, note_panics};
pub use start::{Machine, step};
