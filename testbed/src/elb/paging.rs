//! Pages: `Marker`, `PageSize`, `NextMarker`.

use serde_json::{Value, json};

use super::Elb;
use super::input::{Input, validation};
use crate::wire::ApiError;

/// AWS's largest page.
const MOST: u32 = 400;

/// Cuts one page from all entries and puts the page under `name`.
pub(super) fn page(elb: &Elb, input: Input<'_>, name: &str, entries: Vec<Value>) -> Result<Value, ApiError> {
    let asked = input.number("PageSize", 1..=MOST)?.unwrap_or(MOST);
    let asked = usize::try_from(asked).unwrap_or(usize::MAX);
    let size = elb.page_limit.map_or(asked, |limit| limit.max(1).min(asked));
    let start = match input.text("Marker") {
        None => 0,
        Some(marker) => read_marker(marker)
            .filter(|start| *start < entries.len())
            .ok_or_else(|| validation("The marker is not valid"))?,
    };
    let mut out = json!({});
    let rest = entries.len().saturating_sub(start + size);
    out[name] = entries.into_iter().skip(start).take(size).collect();
    if rest > 0 {
        out["NextMarker"] = json!(format!("bmV4dA{}", start + size));
    }
    Ok(out)
}

/// The position of a marker; none for an unknown marker.
fn read_marker(marker: &str) -> Option<usize> {
    marker.strip_prefix("bmV4dA")?.parse().ok()
}
