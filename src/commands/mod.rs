//! The commands as scripts: the order of the work. Decisions are in `plan/`, texts in `report/`.

mod again;
mod apply;
mod compare;
mod confirm;
mod deploy;
mod doctor;
mod drive;
mod ending;
mod feedback;
mod github_publisher;
mod going_live;
mod last_look;
mod last_resort;
mod logs;
mod outside;
mod pending_write;
mod post;
mod prepare;
mod probes;
mod promote;
mod redirect;
mod run_view;
mod session;
mod start;
mod state;
mod status;
mod tags;

pub use last_resort::{note_panics, run_guarded};
pub use start::{Machine, step};
