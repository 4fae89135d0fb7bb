//! Lists of AWS that come in pages, read to their end. The SDK's own paginators have no bound, and take a list whose
//! token repeats for a whole one.

use std::collections::BTreeSet;
use std::time::Duration;

use super::errors::odd;
use crate::clock;
use crate::plan::trouble::{Read, TroubleKind};

/// Most pages of one list. The longest is that of 5,000 tasks, 100 on a page (quota "Tasks per service").
const MOST_PAGES: usize = 100;

/// Longest time for one list: some of its calls may need all of their attempts.
const LIST_LIMIT: Duration = Duration::from_secs(60);

/// One page: its items, and the token of the next one; none, or an empty one, on the last page.
pub(super) type Page<T> = (Vec<T>, Option<String>);

/// The items of all pages. `read` gets the token of the page to read, none for the first. `action` is the IAM action,
/// `resource` the thing that the list belongs to. A list without an end is a trouble that may pass, never a shorter list.
pub(super) async fn all_pages<T, F: Future<Output = Read<Page<T>>>>(
    action: &'static str,
    resource: &str,
    read: impl Fn(Option<String>) -> F,
) -> Read<Vec<T>> {
    let list = async {
        let (mut items, mut token, mut tokens) = (Vec::new(), None, BTreeSet::new());
        for _ in 0..MOST_PAGES {
            let (more, next) = read(token).await?;
            items.extend(more);
            let Some(next) = next.filter(|next| !next.is_empty()) else { return Ok(items) };
            if !tokens.insert(next.clone()) {
                return Err(endless(action, resource, "AWS gave the same page of the list again"));
            }
            token = Some(next);
        }
        Err(endless(action, resource, &format!("the list of AWS has no end after {MOST_PAGES} pages")))
    };
    let late = || odd(TroubleKind::TimedOut, action, resource, "the list of AWS did not end within a minute");
    clock::within(LIST_LIMIT, list).await.unwrap_or_else(|| Err(late()))
}

/// The trouble with a list that does not end.
fn endless(action: &'static str, resource: &str, message: &str) -> crate::plan::trouble::Trouble {
    odd(TroubleKind::Unreachable, action, resource, message)
}
