//! DescribeAlarms, DeleteAlarms, EnableAlarmActions, DisableAlarmActions, SetAlarmState.

use std::time::Instant;

use serde_json::{Value, json};

use super::CloudWatch;
use super::alarm::{Alarm, State, Watch};
use super::input::{constraint, number, one_of, page, required, text, texts, validation};
use super::rule::name_of;
use crate::wire::ApiError;

/// Most names in one call.
const MOST_NAMES: usize = 100;

/// The required names of a call.
fn names(input: &Value) -> Result<Vec<String>, ApiError> {
    if input["AlarmNames"].is_null() {
        return Err(constraint("null", "AlarmNames", "Member must not be null"));
    }
    texts(input, "AlarmNames", MOST_NAMES)
}

/// DescribeAlarms: by name; composite alarms only if requested in `AlarmTypes`.
pub(super) fn describe(watch: &CloudWatch, input: &Value) -> Result<Value, ApiError> {
    let (names, types) = (texts(input, "AlarmNames", MOST_NAMES)?, texts(input, "AlarmTypes", 3)?);
    let prefix = text(input, "AlarmNamePrefix")?;
    if prefix.is_some() && !names.is_empty() {
        return Err(validation("AlarmNamePrefix and AlarmNames must not be given together."));
    }
    if let Some(kind) =
        types.iter().find(|kind| !["CompositeAlarm", "MetricAlarm", "LogAlarm"].contains(&kind.as_str()))
    {
        let rule = "Member must satisfy enum value set: [CompositeAlarm, MetricAlarm, LogAlarm]";
        return Err(constraint(&format!("'[{kind}]'"), "AlarmTypes", rule));
    }
    let state = one_of(input, "StateValue", &State::NAMES)?;
    let action = text(input, "ActionPrefix")?;
    let size = number(input, "MaxRecords")?.unwrap_or(50);
    if size > 100 {
        let rule = "Member must have value less than or equal to 100";
        return Err(constraint(&format!("'{size}'"), "MaxRecords", rule));
    }
    let family = family(watch, input)?;
    let asked = |alarm: &&Alarm| {
        let kind = if alarm.is_composite() { "CompositeAlarm" } else { "MetricAlarm" };
        let of_kind =
            if types.is_empty() { !alarm.is_composite() } else { types.iter().any(|one| one == kind) };
        (of_kind || family.is_some())
            && (names.is_empty() || names.contains(&alarm.name))
            && prefix.is_none_or(|prefix| alarm.name.starts_with(prefix))
            && state.is_none_or(|state| alarm.state.name() == state)
            && action.is_none_or(|action| alarm.actions.iter().flatten().any(|one| one.starts_with(action)))
            && family.as_ref().is_none_or(|family| family.contains(&alarm.name))
    };
    let all: Vec<Value> = watch.alarms.iter().filter(asked).map(Alarm::describe).collect();
    let size = watch.page_size(usize::try_from(size).unwrap_or(usize::MAX));
    let (listed, next) = page(all, input, size)?;
    let (composites, metrics): (Vec<Value>, Vec<Value>) =
        listed.into_iter().partition(|alarm| !alarm["AlarmRule"].is_null());
    Ok(json!({ "MetricAlarms": metrics, "CompositeAlarms": composites, "NextToken": next }))
}

/// The names by `ChildrenOfAlarmName` or `ParentsOfAlarmName`; none if neither is given.
fn family(watch: &CloudWatch, input: &Value) -> Result<Option<Vec<String>>, ApiError> {
    let children = |alarm: &Alarm| -> Vec<String> {
        match &alarm.watch {
            Watch::Composite(rule, _) => {
                rule.alarms().into_iter().map(|one| name_of(one).to_owned()).collect()
            }
            Watch::Metric(_) => Vec::new(),
        }
    };
    match (text(input, "ChildrenOfAlarmName")?, text(input, "ParentsOfAlarmName")?) {
        (None, None) => Ok(None),
        (Some(name), None) => Ok(Some(watch.alarm(name).map(children).unwrap_or_default())),
        (None, Some(name)) => {
            let parents =
                watch.alarms.iter().filter(|alarm| children(alarm).iter().any(|child| child == name));
            Ok(Some(parents.map(|alarm| alarm.name.clone()).collect()))
        }
        (Some(_), Some(_)) => {
            Err(validation("ChildrenOfAlarmName and ParentsOfAlarmName must not be given together."))
        }
    }
}

/// DeleteAlarms: all alarms, or none if one is missing; at most one composite alarm (API_DeleteAlarms).
pub(super) fn delete(watch: &mut CloudWatch, input: &Value) -> Result<Value, ApiError> {
    let names = names(input)?;
    let unknown: Vec<&str> =
        names.iter().map(String::as_str).filter(|name| watch.alarm(name).is_none()).collect();
    if !unknown.is_empty() {
        let text = format!("Alarms [{}] do not exist.", unknown.join(", "));
        return Err(ApiError::with_status("ResourceNotFound", text, 404));
    }
    let composites = names.iter().filter(|name| watch.alarm(name).is_some_and(Alarm::is_composite)).count();
    if composites > 1 {
        return Err(validation("At most one composite alarm can be deleted in one call."));
    }
    watch.alarms.retain(|alarm| !names.contains(&alarm.name));
    watch.changed.extend(names);
    Ok(json!({}))
}

/// EnableAlarmActions and DisableAlarmActions. A missing name is no error. A scaling action that is enabled while its
/// alarm is in ALARM runs at once.
pub(super) fn set_actions(watch: &mut CloudWatch, input: &Value, enabled: bool) -> Result<Value, ApiError> {
    let names = names(input)?;
    for alarm in watch.alarms.iter_mut().filter(|alarm| names.contains(&alarm.name)) {
        if alarm.actions_enabled != enabled {
            alarm.actions_enabled = enabled;
            alarm.next_repeat = None;
        }
    }
    Ok(json!({}))
}

/// SetAlarmState: until the next evaluation differs; a composite alarm, until a child changes.
pub(super) fn set_state(watch: &mut CloudWatch, input: &Value, now: Instant) -> Result<Value, ApiError> {
    let name = required(input, "AlarmName", 255)?;
    let state = one_of(input, "StateValue", &State::NAMES)?.and_then(State::parse);
    let state = state.ok_or_else(|| constraint("null", "StateValue", "Member must not be null"))?;
    let reason = required(input, "StateReason", 1023)?;
    let data = text(input, "StateReasonData")?;
    if data.is_some_and(|data| serde_json::from_str::<Value>(data).is_err()) {
        return Err(ApiError::new("InvalidFormat", "StateReasonData is not valid JSON"));
    }
    let Some(index) = watch.alarms.iter().position(|alarm| alarm.name == name) else {
        return Err(ApiError::with_status("ResourceNotFound", "The alarm does not exist.", 404));
    };
    watch.enter(index, state, (reason.to_owned(), data.map(str::to_owned)), now);
    Ok(json!({}))
}
