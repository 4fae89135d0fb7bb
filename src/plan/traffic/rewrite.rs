//! A rule's actions with new weights; every other field stays unchanged (invariant 3).

use serde_json::{Value, json};

use crate::plan::color::Split;
use crate::plan::snapshot::Weighted;
use crate::plan::wiring::Groups;

/// All actions with new weights in the forward action: both groups, weight 0 written out, ForwardConfig alone. None
/// without a forward action.
pub(crate) fn rewrite_weights(actions: &Value, groups: &Groups, split: Split) -> Option<Value> {
    let mut all = actions.as_array()?.clone();
    let forward = all.iter_mut().find(|action| action.get("Type") == Some(&json!("forward")))?;
    let sticky = forward.pointer("/ForwardConfig/TargetGroupStickinessConfig").cloned();
    let fields = forward.as_object_mut()?;
    fields.remove("TargetGroupArn");
    let mut config = fields.get("ForwardConfig").and_then(Value::as_object).cloned().unwrap_or_default();
    config.insert(
        "TargetGroups".to_owned(),
        json!([
            {"TargetGroupArn": groups.blue, "Weight": split.blue},
            {"TargetGroupArn": groups.green, "Weight": split.green},
        ]),
    );
    if let Some(sticky) = sticky {
        config.insert("TargetGroupStickinessConfig".to_owned(), sticky);
    }
    fields.insert("ForwardConfig".to_owned(), Value::Object(config));
    Some(Value::Array(all))
}

/// The target groups of a rule's forward action with their weights.
pub(crate) fn forward_weights(actions: &Value) -> Vec<Weighted> {
    let all = actions.as_array().into_iter().flatten();
    all.filter_map(|action| action.pointer("/ForwardConfig/TargetGroups")?.as_array())
        .flatten()
        .filter_map(|group| {
            let weight = u32::try_from(group.get("Weight")?.as_u64()?).ok()?;
            Some(Weighted { group: group.get("TargetGroupArn")?.as_str()?.to_owned(), weight })
        })
        .collect()
}
