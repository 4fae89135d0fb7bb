//! Lists of AWS in pages, read to the end. The SDK's own paginators have no bound, and treat a list with a repeated
//! token as complete.

use std::collections::BTreeSet;
use std::time::Duration;

use super::errors::unexpected_response;
use crate::clock;
use crate::plan::aws_error::{AwsErrorKind, AwsResult};

/// Most pages of one list. The longest list is 5,000 tasks, 100 on a page (quota "Tasks per service").
const MOST_PAGES: usize = 100;

/// Longest time for one list: some calls may need all attempts.
const LIST_LIMIT: Duration = Duration::from_secs(60);

/// A page: the items, and the token of the next page; none, or an empty token, on the last page.
pub(super) type Page<T> = (Vec<T>, Option<String>);

/// The items of all pages. `read` gets the token of the page to read, none for the first. `action` is the IAM action,
/// `resource` the owner of the list. An endless list is a transient error, never a shorter list.
pub(super) async fn all_pages<T, F: Future<Output = AwsResult<Page<T>>>>(
    action: &'static str,
    resource: &str,
    read: impl Fn(Option<String>) -> F,
) -> AwsResult<Vec<T>> {
    let list = async {
        let (mut items, mut token, mut tokens) = (Vec::new(), None, BTreeSet::new());
        for _ in 0..MOST_PAGES {
            let (more, next) = read(token).await?;
            items.extend(more);
            let Some(next) = next.filter(|next| !next.is_empty()) else { return Ok(items) };
            if !tokens.insert(next.clone()) {
                return Err(endless_list_error(action, resource, "AWS gave the same page of the list again"));
            }
            token = Some(next);
        }
        Err(endless_list_error(
            action,
            resource,
            &format!("the list of AWS has no end after {MOST_PAGES} pages"),
        ))
    };
    let late = || {
        unexpected_response(
            AwsErrorKind::TimedOut,
            action,
            resource,
            "the list of AWS did not end within a minute",
        )
    };
    clock::with_timeout(LIST_LIMIT, list).await.unwrap_or_else(|| Err(late()))
}

/// The error of an endless list.
fn endless_list_error(
    action: &'static str,
    resource: &str,
    message: &str,
) -> crate::plan::aws_error::AwsError {
    unexpected_response(AwsErrorKind::Unreachable, action, resource, message)
}
