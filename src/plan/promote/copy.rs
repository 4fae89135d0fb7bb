//! The task definition that a color takes over: the tested definition with images by digest. The family and per-color
//! variables stay the color's own.

use serde_json::{Map, Value};

use crate::plan::definition::{Content, ImageRef, container_images, family_name, pin_images};
use crate::plan::snapshot::{Revision, Service, Task};

/// The lists of a container's variables.
const LISTS: [&str; 2] = ["environment", "secrets"];

/// The tested content with the other color's own parts. An image is pinned to the digest that the tested tasks run.
pub(crate) fn copy_content(tested: (&Service, &Revision), own: &Content, per_color: &[String]) -> Content {
    let (service, revision) = tested;
    let mut content = revision.content.clone();
    let own_tasks = |task: &&Task| task.task_definition == revision.arn;
    let tasks: Vec<&Task> = service.tasks.iter().flatten().flatten().filter(own_tasks).collect();
    let digests = running_digests(&content, &tasks);
    pin_images(&mut content, &digests);
    content.object_mut().insert("family".to_owned(), family_name(own).into());
    for name in per_color {
        keep_variable(content.object_mut(), own.object(), name);
    }
    content
}

/// Images that could not be pinned: the meaning of a tag may change until the new tasks start.
pub(crate) fn unpinned_containers(content: &Content) -> Vec<String> {
    let loose = |(_, image): &(String, String)| ImageRef::parse(image).is_ok_and(|image| !image.is_pinned());
    container_images(content).into_iter().filter(loose).map(|(_, image)| image).collect()
}

/// Each image that is not pinned, with the digest that the tasks run. An image with several digests is left out.
fn running_digests(content: &Content, tasks: &[&Task]) -> Vec<(String, String)> {
    container_images(content)
        .into_iter()
        .filter_map(|(container, image)| {
            ImageRef::parse(&image).ok().filter(|image| !image.is_pinned())?;
            let mut running = tasks
                .iter()
                .flat_map(|task| &task.containers)
                .filter(|found| found.name == container)
                .map(|found| found.digest.as_deref());
            let first = running.next()??;
            running.all(|digest| digest == Some(first)).then(|| (image, first.to_owned()))
        })
        .collect()
}

/// Replaces a variable by the color's own value, or removes the variable if the color has none.
fn keep_variable(content: &mut Map<String, Value>, own: &Map<String, Value>, name: &str) {
    let Some(Value::Array(containers)) = content.get_mut("containerDefinitions") else { return };
    for container in containers.iter_mut().filter_map(Value::as_object_mut) {
        let of_own = same_container(own, container.get("name"));
        for list in LISTS {
            let awaited = of_own
                .and_then(|own| list_entries(own, list).find(|entry| is_variable(entry, name)).cloned());
            let mut all: Vec<Value> =
                list_entries(container, list).filter(|entry| !is_variable(entry, name)).cloned().collect();
            all.extend(awaited);
            if !all.is_empty() || container.contains_key(list) {
                container.insert(list.to_owned(), Value::Array(all));
            }
        }
    }
}

/// The container of this name.
fn same_container<'a>(own: &'a Map<String, Value>, name: Option<&Value>) -> Option<&'a Map<String, Value>> {
    let all = own.get("containerDefinitions")?.as_array()?;
    all.iter().filter_map(Value::as_object).find(|container| container.get("name") == name)
}

/// The names of all variables of all containers.
pub(super) fn variable_names(content: &Content) -> Vec<&str> {
    let containers = content.object().get("containerDefinitions").and_then(Value::as_array);
    let containers = containers.into_iter().flatten().filter_map(Value::as_object);
    let all =
        containers.flat_map(|container| LISTS.into_iter().flat_map(|list| list_entries(container, list)));
    all.filter_map(|entry| entry.get("name")?.as_str()).collect()
}

/// The entries of a list.
fn list_entries<'a>(container: &'a Map<String, Value>, list: &str) -> impl Iterator<Item = &'a Value> {
    container.get(list).and_then(Value::as_array).into_iter().flatten()
}

/// True if an entry is this variable.
fn is_variable(entry: &Value, name: &str) -> bool {
    entry.get("name").and_then(Value::as_str) == Some(name)
}
