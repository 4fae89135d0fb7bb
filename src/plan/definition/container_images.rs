//! The images of a definition's containers.

use serde_json::{Map, Value};

use super::content::Content;
use super::image::{ImageRef, MAX_LENGTH, shown_part};
use super::placeholder::find_placeholder;
use crate::plan::problem::Problem;

/// Each container's name and image, in the definition's order; a container without either is left out.
pub(crate) fn container_images(content: &Content) -> Vec<(String, String)> {
    let text = |container: &Map<String, Value>, key: &str| {
        container.get(key).and_then(Value::as_str).map(str::to_owned)
    };
    content.containers().filter_map(|c| Some((text(c, "name")?, text(c, "image")?))).collect()
}

/// Containers without an image, and images that no registry can have. RegisterTaskDefinition takes any text as an
/// image; only the tasks fail then.
pub(crate) fn unusable_images(content: &Content) -> Vec<Problem> {
    let unusable = |(index, container): (usize, &Map<String, Value>)| {
        let what = match container.get("image").and_then(Value::as_str) {
            None => "is missing; write it there, or give the input `image`".to_owned(),
            Some(image) => {
                let what = ImageRef::parse(image).err()?;
                match find_placeholder(image) {
                    Some(left) => {
                        format!(
                            "`{}` is a placeholder; write the image itself, or give the input `image`",
                            one_line(left)
                        )
                    }
                    None => format!("{} is not an image: {what}", shown_part(&one_line(image))),
                }
            }
        };
        Some(Problem::new(format!("containerDefinitions[{index}].image"), what))
    };
    content.containers().enumerate().filter_map(unusable).collect()
}

/// A text on one line and not too long for a message.
pub(super) fn one_line(text: &str) -> String {
    text.chars().take(MAX_LENGTH).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Replaces image texts by `repository@sha256:…` with the resolved digests. Images that are not listed, or do not
/// parse, stay unchanged.
pub(crate) fn pin_images(content: &mut Content, resolved: &[(String, String)]) {
    for container in content.containers_mut() {
        let Some(image) = container.get_mut("image") else { continue };
        let Some((text, digest)) = resolved.iter().find(|(text, _)| image.as_str() == Some(text)) else {
            continue;
        };
        if let Ok(reference) = ImageRef::parse(text) {
            *image = Value::String(reference.with_digest(digest).to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_tag_is_replaced_by_its_digest() {
        let definition = json!({"family": "shop", "containerDefinitions": [
            {"name": "web", "image": "ghcr.io/shop/web:v2"},
            {"name": "envoy", "image": "envoy"},
            {"name": "odd", "image": "<IMAGE>"},
        ]});
        let mut content = Content::from_described(definition).unwrap();
        let digest = format!("sha256:{}", "0".repeat(64));
        pin_images(
            &mut content,
            &[("ghcr.io/shop/web:v2".into(), digest.clone()), ("<IMAGE>".into(), digest.clone())],
        );
        assert_eq!(
            container_images(&content),
            [
                ("web".to_owned(), format!("ghcr.io/shop/web@{digest}")),
                ("envoy".to_owned(), "envoy".to_owned()),
                ("odd".to_owned(), "<IMAGE>".to_owned()),
            ]
        );
    }
}
