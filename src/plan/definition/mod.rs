//! Task definitions as raw JSON: read, checked, changed, compared. JSON goes through untouched, so that a
//! field that AWS adds later neither breaks a deployment nor vanishes from it.

pub(crate) mod build;
pub(crate) mod content;
pub(crate) mod difference;
pub(crate) mod facts;
pub(crate) mod image;
pub(crate) mod normal;
pub(crate) mod schema;
mod text;

pub(crate) use build::{Changes, build, tag};
pub(crate) use content::Content;
pub(crate) use difference::{Change, difference};
pub(crate) use facts::{family, image_of, log_groups, unserved};
pub(crate) use image::{ImageRef, images, pin};
pub(crate) use normal::same_content;
pub(crate) use schema::typos;

#[cfg(test)]
mod model;
