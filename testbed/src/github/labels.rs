//! Labels of a repository, and labels on an issue.

use super::answer::{Answer, Outcome, Refusal};
use super::ask::{Ask, Caller, number};
use super::model::{Issue, Label, Repository, same_name};
use super::page::page;
use super::route::Args;
use super::shapes;
use serde_json::{Value, json};

/// GitHub's gray for a label that was created by adding it to an issue.
const GRAY: &str = "ededed";

/// `GET …/labels`.
pub(super) fn list(of: &mut Repository, ask: &Ask, _: &Caller, _: Args) -> Outcome {
    Ok(page(ask, of.labels.iter().map(|label| label_json(of, ask, label)).collect()))
}

/// `GET …/labels/{name}`.
pub(super) fn get(of: &mut Repository, ask: &Ask, _: &Caller, args: Args) -> Outcome {
    let label = of.find_label(args.first()).ok_or_else(Refusal::not_found)?;
    Ok(Answer::ok(label_json(of, ask, label)))
}

/// `POST …/labels`.
pub(super) fn create(of: &mut Repository, ask: &Ask, _: &Caller, _: Args) -> Outcome {
    let name = ask.text("name").ok_or_else(|| Refusal::invalid("Label", "name", "missing_field", ""))?;
    let name = checked_name(name)?;
    if of.find_label(&name).is_some() {
        return Err(Refusal::invalid("Label", "name", "already_exists", ""));
    }
    let color = color(ask)?.unwrap_or_else(|| GRAY.to_owned());
    let description = description(ask)?;
    let label = Label { id: of.new_id(), name, color, description };
    of.labels.push(label.clone());
    Ok(Answer::created(label_json(of, ask, &label)))
}

/// `PATCH …/labels/{name}`: `new_name`, `color`, `description`.
pub(super) fn update(of: &mut Repository, ask: &Ask, _: &Caller, args: Args) -> Outcome {
    let old = of.find_label(args.first()).ok_or_else(Refusal::not_found)?.clone();
    let mut new = old.clone();
    if let Some(name) = ask.text("new_name") {
        new.name = checked_name(name)?;
        if of.find_label(&new.name).is_some_and(|other| other.id != old.id) {
            return Err(Refusal::invalid("Label", "name", "already_exists", ""));
        }
    }
    new.color = color(ask)?.unwrap_or(new.color);
    if ask.body.get("description").is_some() {
        new.description = description(ask)?;
    }
    for name in of.issues.iter_mut().flat_map(|issue| &mut issue.labels) {
        if same_name(name, &old.name) {
            new.name.clone_into(name);
        }
    }
    for label in of.labels.iter_mut().filter(|label| label.id == old.id) {
        *label = new.clone();
    }
    Ok(Answer::ok(label_json(of, ask, &new)))
}

/// `DELETE …/labels/{name}`: from the repository and all its issues.
pub(super) fn delete(of: &mut Repository, _: &Ask, _: &Caller, args: Args) -> Outcome {
    let label = of.find_label(args.first()).ok_or_else(Refusal::not_found)?.clone();
    of.labels.retain(|other| other.id != label.id);
    for issue in &mut of.issues {
        issue.labels.retain(|name| !same_name(name, &label.name));
    }
    Ok(Answer::none())
}

/// `GET …/issues/{number}/labels`.
pub(super) fn on_issue(of: &mut Repository, ask: &Ask, _: &Caller, args: Args) -> Outcome {
    let issue = of.find_issue(number(args.first())?).ok_or_else(Refusal::not_found)?;
    Ok(page(ask, of_issue(of, ask, issue)))
}

/// `POST …/issues/{number}/labels`: adds labels; missing labels are created in the repository.
pub(super) fn add(of: &mut Repository, ask: &Ask, _: &Caller, args: Args) -> Outcome {
    let wanted = number(args.first())?;
    let mut names = of.find_issue(wanted).ok_or_else(Refusal::not_found)?.labels.clone();
    for name in names_of(ask)? {
        if !names.iter().any(|other| same_name(other, &name)) {
            names.push(name);
        }
    }
    put(of, ask, wanted, names)
}

/// `PUT …/issues/{number}/labels`: replaces all labels.
pub(super) fn set(of: &mut Repository, ask: &Ask, _: &Caller, args: Args) -> Outcome {
    let wanted = number(args.first())?;
    of.find_issue(wanted).ok_or_else(Refusal::not_found)?;
    put(of, ask, wanted, names_of(ask)?)
}

/// `DELETE …/issues/{number}/labels`: removes all labels.
pub(super) fn clear(of: &mut Repository, ask: &Ask, _: &Caller, args: Args) -> Outcome {
    let wanted = number(args.first())?;
    of.find_issue(wanted).ok_or_else(Refusal::not_found)?;
    put(of, ask, wanted, Vec::new())?;
    Ok(Answer::none())
}

/// `DELETE …/issues/{number}/labels/{name}`; returns the remaining labels.
pub(super) fn remove(of: &mut Repository, ask: &Ask, _: &Caller, args: Args) -> Outcome {
    let wanted = number(args.first())?;
    let mut names = of.find_issue(wanted).ok_or_else(Refusal::not_found)?.labels.clone();
    let before = names.len();
    names.retain(|name| !same_name(name, args.second()));
    if names.len() == before {
        return Err(Refusal::new(404, "Label does not exist"));
    }
    put(of, ask, wanted, names)
}

/// Sets an issue's labels, and returns them.
fn put(of: &mut Repository, ask: &Ask, number: u64, names: Vec<String>) -> Outcome {
    for name in &names {
        if of.find_label(name).is_none() {
            let name = checked_name(name)?;
            let label = Label { id: of.new_id(), name, color: GRAY.to_owned(), description: None };
            of.labels.push(label);
        }
    }
    let known = |name: &String| of.find_label(name).map_or_else(|| name.clone(), |label| label.name.clone());
    let names: Vec<String> = names.iter().map(known).collect();
    let issue = of.find_issue_mut(number).ok_or_else(Refusal::not_found)?;
    issue.labels = names;
    issue.updated_at = crate::clock::wall();
    let issue = of.find_issue(number).ok_or_else(Refusal::not_found)?;
    Ok(Answer::ok(of_issue(of, ask, issue).into()))
}

/// The names in a body: `{"labels": […]}` or a list, of texts or of objects with a name.
fn names_of(ask: &Ask) -> Result<Vec<String>, Refusal> {
    let list = ask.body.get("labels").unwrap_or(&ask.body).as_array();
    let list = list.ok_or_else(|| Refusal::new(422, "Invalid request.\n\n\"labels\" wasn't supplied."))?;
    let name = |value: &Value| value.as_str().or_else(|| value.get("name")?.as_str()).map(str::to_owned);
    let names: Option<Vec<String>> = list.iter().map(name).collect();
    names.ok_or_else(|| Refusal::new(422, "Invalid request.\n\nFor 'items', nil is not a string."))
}

/// A name that GitHub accepts: not blank, at most 50 characters.
fn checked_name(name: &str) -> Result<String, Refusal> {
    let name = name.trim();
    if name.is_empty() {
        return Err(Refusal::invalid("Label", "name", "missing_field", ""));
    }
    if name.chars().count() > 50 {
        let text = "name is too long (maximum is 50 characters)";
        return Err(Refusal::invalid("Label", "name", "custom", text));
    }
    Ok(name.to_owned())
}

/// The color of a body: six hexadecimal digits, without `#`.
fn color(ask: &Ask) -> Result<Option<String>, Refusal> {
    let Some(color) = ask.text("color") else { return Ok(None) };
    let good = color.len() == 6 && color.bytes().all(|byte| byte.is_ascii_hexdigit());
    good.then(|| Some(color.to_owned())).ok_or_else(|| Refusal::invalid("Label", "color", "invalid", ""))
}

/// The description of a body, of at most 100 characters.
fn description(ask: &Ask) -> Result<Option<String>, Refusal> {
    let description = ask.text("description").map(str::to_owned);
    if description.as_ref().is_some_and(|text| text.chars().count() > 100) {
        let text = "description is too long (maximum is 100 characters)";
        return Err(Refusal::invalid("Label", "description", "custom", text));
    }
    Ok(description)
}

/// An issue's labels.
pub(super) fn of_issue(of: &Repository, ask: &Ask, issue: &Issue) -> Vec<Value> {
    let labels = issue.labels.iter().filter_map(|name| of.find_label(name));
    labels.map(|label| label_json(of, ask, label)).collect()
}

/// A label.
fn label_json(of: &Repository, ask: &Ask, label: &Label) -> Value {
    let name: String = url::form_urlencoded::byte_serialize(label.name.as_bytes()).collect();
    json!({
        "id": label.id,
        "node_id": format!("LA_{}", label.id),
        "url": format!("{}/labels/{}", shapes::base(ask, of), name.replace('+', "%20")),
        "name": label.name,
        "color": label.color,
        "default": false,
        "description": label.description,
    })
}
