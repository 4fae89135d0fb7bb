//! CloudWatch Logs: the log groups, and what containers with the driver `awslogs` write to them.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde_json::{Value, json};

use crate::wire::ApiError;
use crate::world::{World, epoch};

/// Most events of one answer (API_GetLogEvents).
const MOST: i64 = 10_000;

/// One event of a stream.
#[derive(Debug, Clone)]
struct LogEvent {
    /// Time of the event, and of its arrival.
    at: SystemTime,
    /// The text.
    message: String,
}

/// All log groups of the account and region.
#[derive(Debug)]
pub struct Logs {
    /// The events by group and stream, oldest first.
    groups: BTreeMap<String, BTreeMap<String, Vec<LogEvent>>>,
    /// The lines that a container writes right before it crashes.
    pub last_words: Vec<String>,
}

impl Default for Logs {
    /// No groups. A container that crashes names its reason.
    fn default() -> Self {
        let last_words = ["listening on port 8080", "fatal: no answer from database:5432"];
        Self { groups: BTreeMap::new(), last_words: last_words.map(str::to_owned).to_vec() }
    }
}

impl Logs {
    /// Creates a group; an existing group stays.
    pub fn create_group(&mut self, name: &str) {
        self.groups.entry(name.to_owned()).or_default();
    }

    /// Deletes a group with its streams.
    pub fn delete_group(&mut self, name: &str) {
        self.groups.remove(name);
    }

    /// Writes events to a stream, which is created if missing. A missing group takes no event.
    pub(crate) fn write(&mut self, (group, stream): (&str, &str), messages: &[String]) {
        let Some(streams) = self.groups.get_mut(group) else { return };
        let at = crate::clock::wall();
        let events = messages.iter().map(|message| LogEvent { at, message: message.clone() });
        streams.entry(stream.to_owned()).or_default().extend(events);
    }
}

/// Answers one call of CloudWatch Logs, 2014-03-28.
///
/// # Errors
/// AWS's own error codes and messages.
pub fn call(world: &World, operation: &str, input: &Value) -> Result<Value, ApiError> {
    match operation {
        "GetLogEvents" => get_log_events(&world.logs, input),
        _ => Err(ApiError::new("UnknownOperationException", "")),
    }
}

/// `GetLogEvents`: the newest events, or the oldest with `startFromHead`. Both tokens are always there; at an end of the
/// stream the token is the caller's own.
fn get_log_events(logs: &Logs, input: &Value) -> Result<Value, ApiError> {
    let limit = input["limit"].as_i64().unwrap_or(MOST);
    let limit = usize::try_from(limit).ok().filter(|limit| (1..=MOST as usize).contains(limit));
    let limit = limit.ok_or_else(|| invalid(&wrong_limit(&input["limit"])))?;
    let events: Vec<&LogEvent> =
        stream(logs, input)?.iter().filter(|event| is_within(event, input)).collect();
    let (start, end) = match input["nextToken"].as_str().map(read_token) {
        Some(None) => return Err(invalid("The specified nextToken is invalid.")),
        Some(Some((true, from))) => (from, from + limit),
        Some(Some((false, to))) => (to.saturating_sub(limit), to),
        None if input["startFromHead"] == true => (0, limit),
        None => (events.len().saturating_sub(limit), events.len()),
    };
    let end = end.min(events.len());
    let start = start.min(end);
    let told = |event: &&LogEvent| {
        let at = milliseconds(event.at);
        json!({ "timestamp": at, "message": event.message, "ingestionTime": at })
    };
    Ok(json!({
        "events": events[start..end].iter().map(told).collect::<Vec<_>>(),
        "nextForwardToken": format!("f/{end}"),
        "nextBackwardToken": format!("b/{start}"),
    }))
}

/// The events of the stream that a call names.
fn stream<'a>(logs: &'a Logs, input: &Value) -> Result<&'a [LogEvent], ApiError> {
    let missing = |what: &str| {
        ApiError::new("ResourceNotFoundException", format!("The specified log {what} does not exist."))
    };
    let named = input["logGroupName"].as_str();
    let of_arn = input["logGroupIdentifier"]
        .as_str()
        .map(|id| id.split_once(":log-group:").map_or(id, |(_, name)| name.trim_end_matches(":*")));
    let group = named.or(of_arn).ok_or_else(|| {
        invalid("Exactly one of the parameters logGroupName or logGroupIdentifier must be specified")
    })?;
    let stream = input["logStreamName"].as_str().ok_or_else(|| {
        invalid("1 validation error detected: Value at 'logStreamName' failed to satisfy constraint: Member must not be null")
    })?;
    let streams = logs.groups.get(group).ok_or_else(|| missing("group"))?;
    streams.get(stream).map(Vec::as_slice).ok_or_else(|| missing("stream"))
}

/// True for an event from `startTime` on, and before `endTime`.
fn is_within(event: &LogEvent, input: &Value) -> bool {
    let at = milliseconds(event.at);
    input["startTime"].as_i64().is_none_or(|start| at >= start)
        && input["endTime"].as_i64().is_none_or(|end| at < end)
}

/// Milliseconds since the epoch.
fn milliseconds(at: SystemTime) -> i64 {
    (epoch(at) * 1000.0).round() as i64
}

/// A token: true for forward, and the position.
fn read_token(token: &str) -> Option<(bool, usize)> {
    let (direction, position) = token.split_once('/')?;
    let forward = match direction {
        "f" => true,
        "b" => false,
        _ => return None,
    };
    Some((forward, position.parse().ok()?))
}

/// AWS's words for a limit out of range.
fn wrong_limit(limit: &Value) -> String {
    let (least, most) = ("greater than or equal to 1", "less than or equal to 10000");
    let bound = if limit.as_i64().is_some_and(|limit| limit < 1) { least } else { most };
    format!(
        "1 validation error detected: Value '{limit}' at 'limit' failed to satisfy constraint: Member must have value {bound}"
    )
}

/// AWS's error for wrong parameters.
fn invalid(text: &str) -> ApiError {
    ApiError::new("InvalidParameterException", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stream with this many lines.
    fn logs(lines: usize) -> Logs {
        let mut logs = Logs::default();
        logs.create_group("/ecs/shop");
        let lines: Vec<String> = (1..=lines).map(|line| format!("line {line}")).collect();
        logs.write(("/ecs/shop", "web/app/1"), &lines);
        logs.write(("/ecs/none", "web/app/1"), &lines);
        logs
    }

    /// The messages and both tokens of an answer, or the error's code and text.
    fn asked(logs: &Logs, more: Value) -> Result<(Vec<String>, String, String), (String, String)> {
        let mut input = json!({ "logGroupName": "/ecs/shop", "logStreamName": "web/app/1" });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = get_log_events(logs, &input).map_err(|error| (error.code, error.message))?;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let events = answer["events"].as_array().unwrap().iter().map(|event| text(&event["message"]));
        Ok((events.collect(), text(&answer["nextBackwardToken"]), text(&answer["nextForwardToken"])))
    }

    #[test]
    fn the_newest_events_come_first_and_tokens_lead_both_ways() {
        let logs = logs(5);
        let told = |more| asked(&logs, more).unwrap();
        let lines =
            |range: std::ops::RangeInclusive<u32>| range.map(|n| format!("line {n}")).collect::<Vec<_>>();
        let newest = told(json!({ "limit": 2 }));
        assert_eq!(newest, (lines(4..=5), "b/3".to_owned(), "f/5".to_owned()));
        assert_eq!(told(json!({ "limit": 2, "nextToken": "b/3" })).0, lines(2..=3));
        assert_eq!(told(json!({ "limit": 2, "nextToken": "f/5" })).2, "f/5", "the caller's own token");
        assert_eq!(told(json!({ "limit": 2, "startFromHead": true })).0, lines(1..=2));
        assert_eq!(told(json!({})).0, lines(1..=5));
        assert_eq!(told(json!({ "endTime": 1 })).0.len(), 0);
    }

    #[test]
    fn a_missing_group_or_stream_and_a_wrong_limit_are_errors_of_aws() {
        let logs = logs(1);
        let missing = |what: &str| {
            Err(("ResourceNotFoundException".to_owned(), format!("The specified log {what} does not exist.")))
        };
        assert_eq!(asked(&logs, json!({ "logGroupName": "/ecs/none" })), missing("group"));
        assert_eq!(asked(&logs, json!({ "logStreamName": "web/app/2" })), missing("stream"));
        for wrong in [json!({ "limit": 0 }), json!({ "limit": 10_001 }), json!({ "nextToken": "x" })] {
            assert_eq!(asked(&logs, wrong).unwrap_err().0, "InvalidParameterException");
        }
    }
}
