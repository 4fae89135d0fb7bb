//! From the inputs to the wanted content: everything that a deploy needs to know before the first write.

use std::path::Path;

use super::session::{Session, Stop};
use crate::action::deploy::DeploySettings;
use crate::action::files;
use crate::aws::Aws;
use crate::config::definition_file::read_definition_file;
use crate::failure::Failure;
use crate::plan::aws_error::AwsErrorKind;
use crate::plan::definition::{
    Changes, Content, ImageRef, build_content, container_images, load_balancer_problem, pin_images,
    same_content, schema_problems, shared_names, unusable_images,
};
use crate::plan::overview::tagged_commit;
use crate::plan::problem::Problem;
use crate::plan::snapshot::{Revision, Service};
use crate::plan::wanted::{DefinitionSource, EnvChange, Images};
use crate::report::{secrets, words};

/// The wanted result of a deploy.
pub(crate) struct Wanted {
    /// The content, with digests if resolvable.
    pub(crate) content: Content,
    /// The named revision, if nothing in it has to change.
    pub(crate) revision: Option<String>,
    /// The commit in the tags of that revision.
    pub(crate) commit: Option<String>,
    /// Images whose tag may move and can't be resolved.
    pub(crate) unresolved: Vec<String>,
}

/// Reason for missing content.
pub(crate) enum Unprepared {
    /// Invalid inputs, or an invalid file.
    Problems(Vec<Problem>),
    /// A failure in words.
    Failure(Failure),
    /// AWS refused, or a signal came.
    Stop(Stop),
}

impl From<Stop> for Unprepared {
    fn from(stop: Stop) -> Self {
        Unprepared::Stop(stop)
    }
}

/// Reads the base, applies the inputs' changes, and resolves its images.
pub(crate) async fn prepare_content(
    session: &Session<'_>,
    wish: &DeploySettings,
    service: &Service,
) -> Result<Wanted, Unprepared> {
    let (base, named) = base_definition(session, wish, service).await?;
    let mut content =
        build_content(base.clone(), &definition_changes(wish, service)).map_err(Unprepared::Problems)?;
    secrets::register_definition(&content);
    let wrong: Vec<Problem> = [schema_problems, shared_names, unusable_images]
        .into_iter()
        .flat_map(|find| find(&content))
        .collect();
    if !wrong.is_empty() {
        return Err(Unprepared::Problems(wrong));
    }
    if let Some(problem) = service
        .setup
        .links
        .first()
        .and_then(|link| load_balancer_problem(&content, &link.container, link.port.into()))
    {
        return Err(Unprepared::Problems(vec![problem]));
    }
    let unresolved = resolve_images(session, wish, &mut content).await?;
    let (revision, commit) = named.filter(|_| same_content(&base, &content)).unzip();
    Ok(Wanted { content, revision, commit: commit.flatten(), unresolved })
}

/// The ARN of a named revision, and the commit in its tags.
type NamedRevision = (String, Option<String>);

/// The task definition that the changes start from, and the named revision, if usable.
async fn base_definition(
    session: &Session<'_>,
    wish: &DeploySettings,
    service: &Service,
) -> Result<(Content, Option<NamedRevision>), Unprepared> {
    match &wish.definition {
        DefinitionSource::Current => match &service.definition {
            Some(Ok(revision)) => Ok((revision.content.clone(), None)),
            Some(Err(trouble)) if !trouble.kind.is_transient() => {
                Err(Unprepared::Stop(Stop::AwsError(trouble.clone())))
            }
            // The look's own read failed for a moment, or was left out.
            Some(Err(_)) | None => {
                Ok((describe_revision(session, &service.task_definition).await?.content, None))
            }
        },
        DefinitionSource::Named(which) => match describe_revision(session, which).await {
            Err(Unprepared::Stop(Stop::AwsError(trouble))) if trouble.kind == AwsErrorKind::Missing => {
                Err(Unprepared::Problems(vec![words::no_such_definition(which, &session.names.place)]))
            }
            described => {
                let Revision { arn, content, active, tags } = described?;
                Ok((content, active.then(|| (arn, tagged_commit(&tags)))))
            }
        },
        DefinitionSource::File(path) => Ok((from_file(session, path)?, None)),
    }
}

/// One revision from AWS.
async fn describe_revision(session: &Session<'_>, which: &str) -> Result<Revision, Unprepared> {
    Ok(session.patiently(async |aws| aws.revision(which).await).await?)
}

/// A task definition from a file in the workspace. The file's own errors were reported with the inputs.
fn from_file(session: &Session<'_>, path: &Path) -> Result<Content, Unprepared> {
    let name = path.display().to_string();
    let text = files::read_text(session.env, path).map_err(|error| {
        let what = words::unreadable_file(&name, &error.to_string());
        Unprepared::Problems(vec![Problem::new("input task-definition", what)])
    })?;
    read_definition_file(&name, &text).map_err(Unprepared::Problems)
}

/// The inputs' changes in the builder's form.
fn definition_changes(wish: &DeploySettings, service: &Service) -> Changes {
    let variables = |all: &[EnvChange]| {
        let one = |change: &EnvChange| {
            let value = change.value.as_ref().map(|text| text.reveal().to_owned());
            (change.container.clone(), change.name.clone(), value)
        };
        all.iter().map(one).collect()
    };
    Changes {
        images: match &wish.images {
            Images::None => Vec::new(),
            Images::One(image) => vec![(None, image.to_string())],
            Images::PerContainer(all) => {
                all.iter().map(|(container, image)| (Some(container.clone()), image.to_string())).collect()
            }
        },
        environment: variables(&wish.environment),
        secrets: variables(&wish.secrets),
        load_balanced_container: service.setup.links.first().map(|link| link.container.clone()),
    }
}

/// Checks every image in ECR and, if requested, pins tags to digests. Returns the images whose tag may move. An image
/// that ECR does not show ends the deploy only if this run sets the image: DescribeImages may be denied for another
/// account's repository, its region may be out of reach, and a pull-through cache has an image only after its first pull
/// ("Using pull through cache rules", Amazon ECR). ECS pulls all of them.
async fn resolve_images(
    session: &Session<'_>,
    wish: &DeploySettings,
    content: &mut Content,
) -> Result<Vec<String>, Unprepared> {
    let mut pins = Vec::new();
    let mut moving = Vec::new();
    for (container, text) in container_images(content) {
        let Ok(image) = ImageRef::parse(&text) else { continue };
        let Some(ecr) = image.ecr() else {
            if !image.is_pinned() {
                moving.push(text);
            }
            continue;
        };
        let which = image.digest.as_deref().unwrap_or_else(|| image.tag_or_latest()).to_owned();
        let is_set = is_image_set(&wish.images, &text);
        let asked =
            async |aws: &Aws| match aws.digest(&ecr.account, &ecr.region, &ecr.repository, &which).await {
                Err(trouble) if !is_set && may_be_the_registry(trouble.kind) => Ok(None),
                answer => answer,
            };
        match session.patiently(asked).await? {
            None if !is_set && image.is_pinned() => {}
            None if !is_set => moving.push(text),
            None => {
                return Err(Unprepared::Failure(words::image_missing(
                    &container,
                    &image.short(),
                    &ecr.region,
                )));
            }
            Some(digest) if wish.pin_digest && !image.is_pinned() => pins.push((text, digest)),
            Some(_) if image.is_pinned() => {}
            Some(_) => moving.push(text),
        }
    }
    pin_images(content, &pins);
    Ok(moving)
}

/// True if the inputs name this image.
fn is_image_set(images: &Images, text: &str) -> bool {
    match images {
        Images::None => false,
        Images::One(image) => image.to_string() == text,
        Images::PerContainer(all) => all.iter().any(|(_, image)| image.to_string() == text),
    }
}

/// True if an error of DescribeImages may concern only the image or its registry: a region that the account has not
/// enabled takes no key, and a registry in another region may be out of reach.
fn may_be_the_registry(kind: AwsErrorKind) -> bool {
    match kind {
        AwsErrorKind::Denied
        | AwsErrorKind::Missing
        | AwsErrorKind::Refused
        | AwsErrorKind::Expired
        | AwsErrorKind::Unreachable
        | AwsErrorKind::TimedOut => true,
        AwsErrorKind::NoCredentials | AwsErrorKind::Throttled => false,
    }
}
