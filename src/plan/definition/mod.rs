//! Task definitions as raw JSON: read, checked, changed, compared. JSON passes through unchanged. So a new field from
//! AWS neither breaks a deployment nor vanishes.

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

pub(crate) use build::{Changes, add_tags, build_content};
pub(crate) use content::{Content, in_file};
pub(crate) use difference::{Change, content_differences};
pub(crate) use facts::{family_name, image_of, load_balancer_problem, log_groups};
pub(crate) use image::{ImageRef, container_images, pin_images, unusable_images};
pub(crate) use normal::same_content;
pub(crate) use schema::schema_problems;

#[cfg(test)]
mod model;

#[cfg(test)]
mod file_tests;
