//! Elastic Container Registry: repositories and images.

mod repositories;

use self::repositories::Repository;
use crate::image::Behavior;
use crate::wire::ApiError;
use crate::world::{World, epoch};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::time::{Duration, SystemTime};

/// One image: the content of a digest.
#[derive(Debug, Clone)]
pub struct Image {
    /// The repository's name, such as `shop/web`.
    pub repository: String,
    /// The tags that currently name this image.
    pub tags: Vec<String>,
    /// `sha256:…` of the content.
    pub digest: String,
    /// The behavior of its tasks.
    pub behavior: Behavior,
    /// Time of the push.
    pub pushed_at: SystemTime,
}

/// The registry of the account and region.
#[derive(Debug, Default)]
pub struct Ecr {
    /// The repositories.
    repositories: Vec<Repository>,
    /// All images, oldest first.
    images: Vec<Image>,
}

/// The target of an image reference.
pub(crate) enum Found {
    /// An image of this registry, or a substitute for an external image: its digest and behavior.
    Runs {
        /// `sha256:…`; for external images, from the reference.
        digest: String,
        /// The behavior.
        behavior: Behavior,
    },
    /// This registry has no such image; ECS's reason.
    Missing(String),
}

impl Ecr {
    /// Creates a repository; an existing repository stays.
    pub fn create_repository(&mut self, name: &str) {
        if !self.has_repository(name) {
            self.repositories.push(Repository::new(name));
        }
    }

    /// True if a repository exists.
    pub fn has_repository(&self, name: &str) -> bool {
        self.repositories.iter().any(|repository| repository.name == name)
    }

    /// Pushes an image with the behavior of its tag. Returns the digest.
    pub fn push(&mut self, repository: &str, tag: &str) -> String {
        self.push_behavior(repository, tag, Behavior::of_tag(tag))
    }

    /// Pushes an image; a tag of another image moves here. Returns the digest.
    pub fn push_behavior(&mut self, repository: &str, tag: &str, behavior: Behavior) -> String {
        self.create_repository(repository);
        let digest = digest(&format!("{repository} {behavior:?}"));
        for image in self.images.iter_mut().filter(|image| image.repository == repository) {
            image.tags.retain(|other| other != tag);
        }
        let known =
            self.images.iter_mut().find(|image| image.repository == repository && image.digest == digest);
        if let Some(image) = known {
            image.tags.push(tag.to_owned());
            return digest;
        }
        let (repository, tags) = (repository.to_owned(), vec![tag.to_owned()]);
        let pushed_at = crate::clock::wall();
        self.images.push(Image { repository, tags, digest: digest.clone(), behavior, pushed_at });
        digest
    }

    /// The image of a tag.
    pub fn image(&self, repository: &str, tag: &str) -> Option<&Image> {
        self.images
            .iter()
            .find(|image| image.repository == repository && image.tags.iter().any(|other| other == tag))
    }

    /// Deletes a tag; the image stays, by its digest.
    pub fn delete_tag(&mut self, repository: &str, tag: &str) {
        for image in self.images.iter_mut().filter(|image| image.repository == repository) {
            image.tags.retain(|other| other != tag);
        }
    }

    /// The target of a container definition's `image`, for the ECR host of this account and region.
    pub(crate) fn find(&self, reference: &str, host: &str) -> Found {
        let name = match reference.strip_prefix(host).and_then(|rest| rest.strip_prefix('/')) {
            Some(name) => name,
            None if is_ecr(reference) => {
                return Found::Missing(not_found(reference, "registry not reachable"));
            }
            None => return elsewhere(reference),
        };
        let (repository, wanted) = split_reference(name);
        if !self.has_repository(repository) {
            let text = format!("The repository with name '{repository}' does not exist in the registry");
            return Found::Missing(not_found(reference, &text));
        }
        let is_wanted = |image: &&Image| match wanted {
            Wanted::Tag(tag) => image.tags.iter().any(|other| other == tag),
            Wanted::Digest(digest) => image.digest == digest,
        };
        match self.images.iter().filter(|image| image.repository == repository).find(is_wanted) {
            Some(image) => Found::Runs { digest: image.digest.clone(), behavior: image.behavior.clone() },
            None => Found::Missing(not_found(reference, "not found")),
        }
    }
}

/// ECS's reason for an image that can't be pulled.
fn not_found(reference: &str, why: &str) -> String {
    format!(
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref \
         {reference}: {why}"
    )
}

/// True if a reference names any ECR registry.
fn is_ecr(reference: &str) -> bool {
    reference.split('/').next().is_some_and(|host| host.contains(".dkr.ecr."))
}

/// Images outside of this registry run well; the tag is the version.
fn elsewhere(reference: &str) -> Found {
    let behavior = match split_reference(reference).1 {
        Wanted::Tag(tag) => Behavior::of_tag(tag),
        Wanted::Digest(digest) => Behavior::good(digest),
    };
    Found::Runs { digest: digest(reference), behavior }
}

/// The part of an image reference after its name.
enum Wanted<'a> {
    /// A tag; `latest` if missing.
    Tag(&'a str),
    /// A digest.
    Digest(&'a str),
}

/// Splits `name:tag` and `name[:tag]@digest`; a port in the host is not a tag.
fn split_reference(reference: &str) -> (&str, Wanted<'_>) {
    let (name, digest) = match reference.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (reference, None),
    };
    let (name, tag) = match name.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        Some(_) | None => (name, "latest"),
    };
    (name, digest.map_or(Wanted::Tag(tag), Wanted::Digest))
}

/// `sha256:…` of a text.
fn digest(text: &str) -> String {
    let hash = Sha256::digest(text);
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// A password for `docker login`, for twelve hours. No registry here asks for the password.
fn authorization(world: &World) -> Value {
    let expires = crate::clock::wall() + Duration::from_secs(12 * 3600);
    let endpoint = format!("https://{}.dkr.ecr.{}.amazonaws.com", world.account, world.region);
    let token = "QVdTOnRlc3RiZWQ="; // AWS:testbed
    json!({ "authorizationData": [
        { "authorizationToken": token, "expiresAt": epoch(expires), "proxyEndpoint": endpoint },
    ] })
}

/// Answers one call of ECR.
///
/// # Errors
/// AWS's own error codes and messages.
pub fn call(world: &mut World, operation: &str, input: &Value) -> Result<Value, ApiError> {
    match operation {
        "DescribeRepositories" => repositories::describe(world, input),
        "DescribeImages" => describe_images(world, input),
        "GetAuthorizationToken" => Ok(authorization(world)),
        "BatchGetImage" => batch_get_image(world, input),
        "CreateRepository" => repositories::create(world, input),
        "DeleteRepository" => repositories::delete(world, input),
        "PutImage" => put_image(world, input),
        "BatchDeleteImage" => batch_delete_image(world, input),
        "PutLifecyclePolicy" => repositories::put_lifecycle(world, input),
        "GetLifecyclePolicy" => repositories::get_lifecycle(world, input),
        "DeleteLifecyclePolicy" => repositories::delete_lifecycle(world, input),
        "TagResource" => repositories::tag(world, input),
        "UntagResource" => repositories::untag(world, input),
        "ListTagsForResource" => repositories::list_tags(world, input),
        _ => Err(ApiError::new("UnknownOperationException", "")),
    }
}

/// The repository in a call.
fn repository<'a>(world: &World, input: &'a Value) -> Result<&'a str, ApiError> {
    let Some(name) = input["repositoryName"].as_str() else {
        let text = "Value at 'repositoryName' failed to satisfy constraint: Member must not be null";
        return Err(ApiError::new(
            "InvalidParameterException",
            format!("1 validation error detected: {text}"),
        ));
    };
    if let Some(id) = input["registryId"].as_str().filter(|id| *id != world.account) {
        let text = format!(
            "User: arn:aws:sts::{}:assumed-role/deploy/ci is not authorized to perform: ecr:DescribeImages on \
             resource: arn:aws:ecr:{}:{id}:repository/{name} because no resource-based policy allows the \
             ecr:DescribeImages action",
            world.account, world.region
        );
        return Err(ApiError::new("AccessDeniedException", text));
    }
    if world.ecr.has_repository(name) { Ok(name) } else { Err(no_repository(world, name)) }
}

/// The error for a repository that does not exist.
fn no_repository(world: &World, name: &str) -> ApiError {
    let text = format!(
        "The repository with name '{name}' does not exist in the registry with id '{}'",
        world.account
    );
    ApiError::new("RepositoryNotFoundException", text)
}

/// `PutImage`: an image with the behavior of its tag. The manifest is ignored, so the digest is not the manifest's.
fn put_image(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let name = repository(world, input)?.to_owned();
    let (Some(tag), Some(manifest)) = (input["imageTag"].as_str(), input["imageManifest"].as_str()) else {
        return Err(ApiError::new("InvalidParameterException", "imageTag and imageManifest are needed here"));
    };
    let immutable = world.ecr.repositories.iter().any(|one| one.name == name && one.is_immutable());
    if immutable && world.ecr.image(&name, tag).is_some() {
        let text = format!(
            "The image tag '{tag}' already exists in the '{name}' repository and cannot be overwritten because the \
             tag is immutable."
        );
        return Err(ApiError::new("ImageTagAlreadyExistsException", text));
    }
    let digest = world.ecr.push(&name, tag);
    Ok(json!({ "image": {
        "registryId": world.account,
        "repositoryName": name,
        "imageId": { "imageDigest": digest, "imageTag": tag },
        "imageManifest": manifest,
    }}))
}

/// True if an image id (`imageTag`, `imageDigest` or both) means this image.
fn means(id: &Value, image: &Image) -> bool {
    let tag = id["imageTag"].as_str();
    let digest = id["imageDigest"].as_str();
    (tag.is_some() || digest.is_some())
        && tag.is_none_or(|tag| image.tags.iter().any(|other| other == tag))
        && digest.is_none_or(|digest| image.digest == digest)
}

/// An image id in AWS's words: `{imageDigest:'…', imageTag:'v1'}`, `null` for a missing part.
fn id_text(id: &Value) -> String {
    let quoted = |key: &str| id[key].as_str().map_or("null".to_owned(), |text| format!("'{text}'"));
    format!("{{imageDigest:{}, imageTag:{}}}", quoted("imageDigest"), quoted("imageTag"))
}

/// `DescribeImages`: all of a repository, or the named ones; a missing image fails the call.
fn describe_images(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let name = repository(world, input)?;
    let images: Vec<&Image> = world.ecr.images.iter().filter(|image| image.repository == name).collect();
    let mut found = Vec::new();
    match input["imageIds"].as_array() {
        None => found = images,
        Some(ids) => {
            for id in ids {
                let Some(image) = images.iter().find(|image| means(id, image)) else {
                    let text = format!(
                        "The image with imageId {} does not exist within the repository with name '{name}' in the \
                         registry with id '{}'",
                        id_text(id),
                        world.account
                    );
                    return Err(ApiError::new("ImageNotFoundException", text));
                };
                found.push(image);
            }
        }
    }
    let details: Vec<Value> = found.iter().map(|image| image_json(world, image)).collect();
    Ok(json!({ "imageDetails": details }))
}

/// An image as AWS describes it; an untagged image has no `imageTags`.
fn image_json(world: &World, image: &Image) -> Value {
    let mut detail = json!({
        "registryId": world.account,
        "repositoryName": image.repository,
        "imageDigest": image.digest,
        "imageTags": image.tags,
        "imageSizeInBytes": 10_485_760,
        "imagePushedAt": epoch(image.pushed_at),
        "imageManifestMediaType": MANIFEST_TYPE,
        "artifactMediaType": "application/vnd.docker.container.image.v1+json",
    });
    if image.tags.is_empty() {
        detail.as_object_mut().and_then(|map| map.shift_remove("imageTags"));
    }
    detail
}

/// Media type of an image manifest.
const MANIFEST_TYPE: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// `BatchGetImage`: images, and failures for missing images.
fn batch_get_image(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let name = repository(world, input)?;
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for id in input["imageIds"].as_array().into_iter().flatten() {
        match world.ecr.images.iter().find(|image| image.repository == name && means(id, image)) {
            Some(image) => found.push(json!({
                "registryId": world.account,
                "repositoryName": name,
                "imageId": { "imageDigest": image.digest, "imageTag": id["imageTag"] },
                "imageManifest": json!({ "schemaVersion": 2, "mediaType": MANIFEST_TYPE }).to_string(),
                "imageManifestMediaType": MANIFEST_TYPE,
            })),
            None => failures.push(json!({
                "imageId": id, "failureCode": "ImageNotFound", "failureReason": "Requested image not found",
            })),
        }
    }
    Ok(json!({ "images": found, "failures": failures }))
}

/// `BatchDeleteImage`: a tag goes from its image, and the image with its last tag; a digest takes the image.
fn batch_delete_image(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let name = repository(world, input)?;
    let (mut gone, mut failures) = (Vec::new(), Vec::new());
    for id in input["imageIds"].as_array().into_iter().flatten() {
        let images = &mut world.ecr.images;
        match images.iter().position(|image| image.repository == name && means(id, image)) {
            None => failures.push(json!({
                "imageId": id, "failureCode": "ImageNotFound", "failureReason": "Requested image not found",
            })),
            Some(at) => {
                let image = &mut images[at];
                gone.push(json!({ "imageDigest": image.digest, "imageTag": id["imageTag"] }));
                image.tags.retain(|tag| id["imageTag"].as_str().is_some_and(|other| other != tag));
                if image.tags.is_empty() {
                    images.remove(at);
                }
            }
        }
    }
    Ok(json!({ "imageIds": gone, "failures": failures }))
}

impl World {
    /// The host of this account's registry.
    pub fn registry(&self) -> String {
        format!("{}.dkr.ecr.{}.amazonaws.com", self.account, self.region)
    }
}
