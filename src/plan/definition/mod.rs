//! Task definitions as raw JSON: read, checked, changed, compared. JSON goes through untouched, so that a
//! field that AWS adds later neither breaks a deployment nor vanishes from it.

pub(crate) mod build;
pub(crate) mod content;
pub(crate) mod difference;
pub(crate) mod facts;
pub(crate) mod image;
mod mistaken;
pub(crate) mod normal;
pub(crate) mod placeholder;
pub(crate) mod schema;
mod text;

pub(crate) use build::{Changes, build, tag};
pub(crate) use content::{Content, in_file};
pub(crate) use difference::{Change, difference};
pub(crate) use facts::{family, image_of, log_groups, unserved};
pub(crate) use image::{ImageRef, images, pin, unusable_images};
pub(crate) use normal::same_content;
pub(crate) use schema::typos;

#[cfg(test)]
mod model;

#[cfg(test)]
mod file_tests;
