//! Task definitions as raw JSON: read, checked, changed, compared. JSON passes through unchanged. So a new field from
//! AWS neither breaks a deployment nor vanishes.

pub(crate) mod build;
mod container_images;
pub(crate) mod content;
pub(crate) mod difference;
pub(crate) mod facts;
pub(crate) mod image;
pub(crate) mod normal;
pub(crate) mod placeholder;
pub(crate) mod schema;

pub(crate) use build::{Changes, add_tags, build_content};
pub(crate) use container_images::{container_images, pin_images, unusable_images};
pub(crate) use content::{Content, missing_fields};
pub(crate) use difference::{ContentChange, content_differences};
pub(crate) use facts::{family_name, image_of, load_balancer_problem, log_groups, role_arns};
pub(crate) use image::ImageRef;
pub(crate) use normal::same_content;
pub(crate) use placeholder::placeholder_problems;
pub(crate) use schema::{schema_problems, shared_names};

#[cfg(test)]
pub(crate) mod model;
