//! Pages of a list, and the `link` header between pages.

use super::answer::Answer;
use super::ask::Ask;
use serde_json::Value;

/// One page of a list: `per_page` (30 by default, at most 100) and `page`, counting from 1.
pub(super) fn page(ask: &Ask, items: Vec<Value>) -> Answer {
    let (number, size, skip) = bounds(ask);
    let last = items.len().div_ceil(size).max(1);
    let mut answer = Answer::ok(items.into_iter().skip(skip).take(size).collect());
    let mut links = Vec::new();
    if number > 1 {
        links.push(link(ask, (number - 1).min(last), "prev"));
    }
    if number < last {
        links.push(link(ask, number + 1, "next"));
        links.push(link(ask, last, "last"));
    }
    if number > 1 {
        links.push(link(ask, 1, "first"));
    }
    if !links.is_empty() {
        answer.headers.push(("link", links.join(", ")));
    }
    answer
}

/// The page's number, its size, and the number of earlier entries.
pub(super) fn bounds(ask: &Ask) -> (usize, usize, usize) {
    let value = |name: &str| ask.param(name).and_then(|text| text.parse::<usize>().ok());
    let number = value("page").filter(|page| *page > 0).unwrap_or(1);
    let size = value("per_page").filter(|size| *size > 0).unwrap_or(30).min(100);
    (number, size, number.saturating_sub(1).saturating_mul(size))
}

/// One entry of the header: the same address with another page.
fn link(ask: &Ask, page: usize, rel: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(ask.query.iter().filter(|(name, _)| name != "page"));
    query.append_pair("page", &page.to_string());
    format!("<{}{}?{}>; rel=\"{rel}\"", ask.api, ask.path, query.finish())
}
