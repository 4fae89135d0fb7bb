//! From the inputs to the wanted content: everything a deploy has to know before the first write.

use std::path::Path;

use super::session::{Session, Stop};
use crate::action::deploy::DeploySettings;
use crate::action::files;
use crate::failure::Failure;
use crate::plan::definition::{
    Changes, Content, ImageRef, build, images, pin, same_content, typos, unserved, unusable_images,
};
use crate::plan::problem::Problem;
use crate::plan::snapshot::{Revision, Service};
use crate::plan::trouble::TroubleKind;
use crate::plan::wanted::{DefinitionSource, EnvChange, Images};
use crate::report::{secrets, words};

/// What a deploy shall bring.
pub(crate) struct Wanted {
    /// The content, with digests in it where they could be resolved.
    pub(crate) content: Content,
    /// The revision that was named, where nothing in it has to change.
    pub(crate) revision: Option<String>,
    /// Images whose tag may move and can't be resolved.
    pub(crate) unresolved: Vec<String>,
}

/// Why there is no content to bring.
pub(crate) enum Unprepared {
    /// The inputs or the file are wrong.
    Problems(Vec<Problem>),
    /// A failure in words.
    Failure(Failure),
    /// AWS refuses, or a signal came.
    Stop(Stop),
}

impl From<Stop> for Unprepared {
    fn from(stop: Stop) -> Self {
        Unprepared::Stop(stop)
    }
}

/// Reads the base, changes it as asked, and resolves its images.
pub(crate) async fn prepare(
    session: &Session<'_>,
    wish: &DeploySettings,
    service: &Service,
) -> Result<Wanted, Unprepared> {
    let (base, named) = base(session, wish, service).await?;
    let mut content = build(base.clone(), &changes(wish, service)).map_err(Unprepared::Problems)?;
    secrets::hide(content.environment_values());
    let wrong: Vec<Problem> = typos(&content).into_iter().chain(unusable_images(&content)).collect();
    if !wrong.is_empty() {
        return Err(Unprepared::Problems(wrong));
    }
    if let Some(problem) =
        service.setup.links.first().and_then(|link| unserved(&content, &link.container, link.port.into()))
    {
        return Err(Unprepared::Problems(vec![problem]));
    }
    let unresolved = resolve(session, wish, &mut content).await?;
    let revision = named.filter(|_| same_content(&base, &content));
    Ok(Wanted { content, revision, unresolved })
}

/// The task definition that the changes start from, and the ARN of the revision that was named, if it can be used.
async fn base(
    session: &Session<'_>,
    wish: &DeploySettings,
    service: &Service,
) -> Result<(Content, Option<String>), Unprepared> {
    match &wish.definition {
        DefinitionSource::Current => match &service.definition {
            Some(Ok(revision)) => Ok((revision.content.clone(), None)),
            Some(Err(trouble)) => Err(Unprepared::Stop(Stop::Trouble(trouble.clone()))),
            None => Ok((described(session, &service.task_definition).await?.content, None)),
        },
        DefinitionSource::Named(which) => match described(session, which).await {
            Err(Unprepared::Stop(Stop::Trouble(trouble))) if trouble.kind == TroubleKind::Missing => {
                Err(Unprepared::Problems(vec![words::no_such_definition(which, &session.names.place)]))
            }
            described => {
                let Revision { arn, content, active, .. } = described?;
                Ok((content, active.then_some(arn)))
            }
        },
        DefinitionSource::File(path) => Ok((from_file(session, path)?, None)),
    }
}

/// One revision from AWS.
async fn described(session: &Session<'_>, which: &str) -> Result<Revision, Unprepared> {
    Ok(session.patiently(async |aws| aws.revision(which).await).await?)
}

/// A task definition from a file in the workspace. What is wrong with it by itself was told with the inputs.
fn from_file(session: &Session<'_>, path: &Path) -> Result<Content, Unprepared> {
    let name = path.display().to_string();
    let text = files::read_text(session.env, path).map_err(|error| {
        let what = words::unreadable_file(&name, &error.to_string());
        Unprepared::Problems(vec![Problem::new("input task-definition", what)])
    })?;
    Content::of_file(&name, &text).map_err(Unprepared::Problems)
}

/// The inputs' changes in the form that the builder takes.
fn changes(wish: &DeploySettings, service: &Service) -> Changes {
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

/// Checks every image in ECR and, where asked, pins tags to digests. Brings the images that may move. An image that ECR
/// does not show ends the deploy only if this run sets it: DescribeImages may be denied for another account's
/// repository, and a pull-through cache has an image only after its first pull ("Using pull through cache rules", Amazon
/// ECR). ECS pulls both.
async fn resolve(
    session: &Session<'_>,
    wish: &DeploySettings,
    content: &mut Content,
) -> Result<Vec<String>, Unprepared> {
    let mut pins = Vec::new();
    let mut moving = Vec::new();
    for (container, text) in images(content) {
        let Ok(image) = ImageRef::parse(&text) else { continue };
        let Some(ecr) = image.ecr() else {
            if !image.is_pinned() {
                moving.push(text);
            }
            continue;
        };
        let which = image.digest.as_deref().unwrap_or_else(|| image.tag_or_latest()).to_owned();
        let asked = session
            .patiently(async |aws| aws.digest(&ecr.account, &ecr.region, &ecr.repository, &which).await)
            .await;
        let is_set = sets(&wish.images, &text);
        let found = match asked {
            Err(Stop::Trouble(trouble)) if !is_set && is_about_the_image(trouble.kind) => None,
            asked => asked?,
        };
        match found {
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
    pin(content, &pins);
    Ok(moving)
}

/// Whether the inputs name this image.
fn sets(images: &Images, text: &str) -> bool {
    match images {
        Images::None => false,
        Images::One(image) => image.to_string() == text,
        Images::PerContainer(all) => all.iter().any(|(_, image)| image.to_string() == text),
    }
}

/// Whether a trouble with DescribeImages says nothing of the credentials: the image alone can't be looked up.
fn is_about_the_image(kind: TroubleKind) -> bool {
    match kind {
        TroubleKind::Denied | TroubleKind::Missing | TroubleKind::Refused => true,
        TroubleKind::Expired
        | TroubleKind::NoCredentials
        | TroubleKind::Throttled
        | TroubleKind::Unreachable
        | TroubleKind::TimedOut => false,
    }
}
