//! The inputs of `deploy`, as types.

use std::path::{Path, PathBuf};

use super::branch;
use super::env::Entry;
use super::input_reader::InputReader;
use super::place::{self, File};
use super::variables;
use crate::config::definition_file::{in_file, read_definition_file};
use crate::config::document::Format;
use crate::config::kinds::{self, is_ecs_name, quote_value};
use crate::config::probes;
use crate::plan::arn::Arn;
use crate::plan::color::ServiceColor;
use crate::plan::definition::placeholder::find_placeholder;
use crate::plan::definition::{Content, ImageRef, unusable_images};
use crate::plan::wanted::{AppPlace, DefinitionSource, DesiredCount, EnvChange, Images, Probe, WantedColor};

/// The settings of a deploy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeploySettings {
    /// The target color.
    pub(crate) color: WantedColor,
    /// The images to set.
    pub(crate) images: Images,
    /// The base task definition.
    pub(crate) definition: DefinitionSource,
    /// Changes to the environment.
    pub(crate) environment: Vec<EnvChange>,
    /// Changes to the secrets.
    pub(crate) secrets: Vec<EnvChange>,
    /// True if `image` is present but empty, and no other input changes the task definition or the count.
    pub(crate) image_left_empty: bool,
    /// True if tags are replaced by digests.
    pub(crate) pin_digest: bool,
    /// Number of tasks; without a number, the service's own count, at least 1.
    pub(crate) desired_count: Option<DesiredCount>,
    /// True if a color with users may be deployed.
    pub(crate) allow_live: bool,
    /// The probes that must succeed before the deploy succeeds.
    pub(crate) probes: Vec<Probe>,
}

/// Reads the inputs of `deploy`.
pub(crate) fn read_deploy_inputs(
    edge: &mut InputReader<'_>,
    file: &File,
    place: Option<&AppPlace>,
) -> Option<DeploySettings> {
    let color = read_color(edge, file, place);
    let images = read_images(edge);
    let definition = match edge.value("task-definition") {
        None => Some(DefinitionSource::Current),
        Some(_) => edge.parsed("task-definition", parse_definition),
    };
    if let Some(DefinitionSource::Named(name)) = &definition {
        edge.note_arn("input task-definition", name);
    }
    if let Some(DefinitionSource::File(path)) = &definition {
        check_file(edge, path, images == Some(Images::None));
    }
    let (environment, secrets) = (variables::read_environment(edge), variables::read_secrets(edge));
    variables::check_both(edge, &environment, &secrets);
    let pin_digest = edge.parsed("pin-digest", kinds::parse_boolean);
    let desired_count = edge.parsed("desired-count", desired_count);
    let allow_live = edge.parsed("allow-live", kinds::parse_boolean);
    let from_file = || file.app.as_ref().map(|(_, app)| app.probes.clone()).unwrap_or_default();
    let probes = edge.yaml("probes", probes::read_probes).unwrap_or_else(from_file);
    let no_change = images == Some(Images::None)
        && definition == Some(DefinitionSource::Current)
        && environment.is_empty()
        && secrets.is_empty()
        && edge.value("desired-count").is_none();
    Some(DeploySettings {
        image_left_empty: no_change && (edge.env.is_blank("INPUT_IMAGE") || edge.value("image").is_some()),
        color: color?,
        images: images?,
        definition: definition?,
        environment,
        secrets,
        pin_digest: pin_digest?,
        desired_count,
        allow_live: allow_live?,
        probes,
    })
}

/// Notes problems of the task-definition file, and of its images if no input sets any. The post step builds no task
/// definition, so a deleted file must not prevent a restore.
fn check_file(edge: &mut InputReader<'_>, path: &Path, images_stay: bool) {
    if edge.env.entry() == Entry::Post {
        return;
    }
    let name = path.display().to_string();
    match (edge.read_file)(path) {
        Ok(text) => match read_definition_file(&name, &text) {
            Ok(content) => {
                note_roles(edge, &name, &content);
                if images_stay {
                    edge.problems.extend(in_file(&name, unusable_images(&content)));
                }
            }
            Err(problems) => edge.problems.extend(problems),
        },
        Err(error) => edge.problem("task-definition", place::unreadable_message(edge.env, &name, &error)),
    }
}

/// Notes the roles of a task definition: ECS passes only roles of its own account (iam:PassRole).
fn note_roles(edge: &mut InputReader<'_>, file: &str, content: &Content) {
    for key in ["taskRoleArn", "executionRoleArn"] {
        if let Some(role) = content.object().get(key).and_then(|value| value.as_str()) {
            edge.note_arn(format!("{file} {key}"), role);
        }
    }
}

/// Values of the input `color`: a color, or the branch's.
#[derive(Clone, Copy)]
enum ColorInput {
    /// This color.
    Wanted(WantedColor),
    /// The branch's color, from the config file.
    Branch,
}

/// The words of the input `color`.
const COLORS: [(&str, ColorInput); 5] = [
    ("idle", ColorInput::Wanted(WantedColor::Idle)),
    ("blue", ColorInput::Wanted(WantedColor::Color(ServiceColor::Blue))),
    ("green", ColorInput::Wanted(WantedColor::Color(ServiceColor::Green))),
    ("develop", ColorInput::Wanted(WantedColor::Color(ServiceColor::Develop))),
    ("branch", ColorInput::Branch),
];

/// The color, which must have a service.
fn read_color(edge: &mut InputReader<'_>, file: &File, place: Option<&AppPlace>) -> Option<WantedColor> {
    let color = match edge.parsed("color", |value| kinds::one_of(value, &COLORS))? {
        ColorInput::Wanted(color) => color,
        ColorInput::Branch => branch::branch_color(edge, file)?,
    };
    let lacks_service = color == WantedColor::Color(ServiceColor::Develop)
        && place.is_some_and(|place| place.develop.is_none());
    if lacks_service {
        let app = file.app.as_ref().map_or("NAME", |(name, _)| name);
        let what = format!(
            "`develop` has no service: give `develop-service`, or `apps.{app}.develop` in `{}`",
            file.path
        );
        edge.problem("color", what);
        return None;
    }
    Some(color)
}

/// The images: a text without white space is a single reference, other text a mapping.
fn read_images(edge: &mut InputReader<'_>) -> Option<Images> {
    let Some(value) = edge.value("image") else { return Some(Images::None) };
    let is_template = value.starts_with(['{', '$', '<']) && find_placeholder(value).is_some();
    if !value.contains(char::is_whitespace) || is_template {
        return edge.parsed("image", one_image).map(Images::One);
    }
    let read = edge.yaml("image", |reader, root| {
        let entries = reader.entries(root, "one image is expected, or a mapping, `CONTAINER: IMAGE` a line");
        let mut images = Vec::new();
        for (container, node) in entries {
            if !is_ecs_name(&container) {
                reader.problem(
                    &node,
                    "is not the name of a container: it has only letters, digits, `-` and `_`",
                );
            }
            images.extend(reader.parsed(&node, parse_image).map(|image| (container, image)));
        }
        images
    });
    read.map(|images| if images.is_empty() { Images::None } else { Images::PerContainer(images) })
}

/// The only image. `app:shop/web:1` was meant for a container, but lacks the space for YAML.
fn one_image(value: &str) -> Result<ImageRef, String> {
    parse_image(value).map_err(|what| match value.split_once(':') {
        Some((name, rest)) if is_ecs_name(name) && !rest.is_empty() && ImageRef::parse(rest).is_ok() => {
            format!(
                "{what}; for one container put a space after its colon: {}",
                quote_value(&format!("{name}: {rest}"))
            )
        }
        Some(_) | None => what,
    })
}

/// An image; the problem names the reference.
fn parse_image(value: &str) -> Result<ImageRef, String> {
    ImageRef::parse(value).map_err(|what| format!("{} is not an image: {what}", quote_value(value)))
}

/// A file by its extension, an ARN, or a family with or without revision.
fn parse_definition(value: &str) -> Result<DefinitionSource, String> {
    if value.starts_with(['{', '[']) || value.contains('\n') {
        return Err(
            "holds text where the path of a file is expected: write it to a `.json` file first".to_owned()
        );
    }
    if Arn::looks_like(value) {
        return definition_arn(value).map(DefinitionSource::Named);
    }
    if let Some((scheme, path)) = value.split_once("://") {
        return Err(match scheme {
            "file" => format!("write the path without `file://`: {}", quote_value(path)),
            _ => format!(
                "{} is a URL where the path of a file in the workspace is expected",
                quote_value(value)
            ),
        });
    }
    if Format::of(value).is_some() {
        return Ok(DefinitionSource::File(PathBuf::from(value)));
    }
    if is_family(value) {
        return Ok(DefinitionSource::Named(value.to_owned()));
    }
    Err(format!(
        "{} is neither a `.json`, `.yml` or `.yaml` file, an ARN, `FAMILY` nor `FAMILY:REVISION`",
        quote_value(value)
    ))
}

/// `arn:…:task-definition/FAMILY:REVISION`.
pub(super) fn definition_arn(value: &str) -> Result<String, String> {
    let arn = Arn::parse(value).ok_or_else(|| format!("{} is not a complete ARN", quote_value(value)))?;
    match arn.resource.strip_prefix("task-definition/") {
        Some(family) if arn.service == "ecs" && is_family(family) => Ok(value.to_owned()),
        Some(_) | None => Err(format!("{} is not the ARN of a task definition", quote_value(value))),
    }
}

/// `FAMILY` or `FAMILY:REVISION`; revisions begin at 1.
pub(super) fn is_family(value: &str) -> bool {
    let (family, revision) = value.split_once(':').unwrap_or((value, "1"));
    let counted = revision.bytes().all(|b| b.is_ascii_digit()) && !revision.starts_with('0');
    is_ecs_name(family) && counted && revision.parse::<i32>().is_ok()
}

/// The most tasks that ECS allows a service (its quota "Tasks per service").
pub(super) const MOST_TASKS: u32 = 5_000;

/// `match`, or a count of at least 1, so that a task can prove the version healthy.
fn desired_count(value: &str) -> Result<DesiredCount, String> {
    if value == "match" {
        return Ok(DesiredCount::Match);
    }
    match value.parse::<u32>() {
        Ok(count) if (1..=MOST_TASKS).contains(&count) && !value.starts_with('+') => {
            Ok(DesiredCount::Count(count))
        }
        Ok(0) => {
            Err("`0` leaves no task that could prove the version healthy: write 1 or more, or `match`"
                .to_owned())
        }
        Ok(_) | Err(_) => {
            Err(format!("{} is not a count: write 1 to {MOST_TASKS}, or `match`", quote_value(value)))
        }
    }
}
