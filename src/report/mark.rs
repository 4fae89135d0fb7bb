//! The line that identifies a comment, and the hash that keeps the places of one repository apart.

use super::comment::CommentRun;
use super::names::without_accounts;
use crate::plan::sum;

/// Beginning of each mark.
const START: &str = "<!-- ecs-blue-green:";

/// The place in the mark of a run whose account is unknown.
const UNKNOWN: &str = "unknown";

/// A comment's relation to a text that is about to be posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kin {
    /// The same mark.
    Same,
    /// The mark of an older version, or of a run with an unknown account: the comment may be taken over.
    Adoptable,
    /// The mark of another place.
    Other,
}

/// A short hash of account, region, cluster and app. None while the account is unknown.
pub(crate) fn place_sum(account: Option<&str>, region: &str, (cluster, app): (&str, &str)) -> Option<String> {
    account.map(|account| sum::short_hash(&format!("{account}/{region}/{cluster}/{app}")))
}

/// The line that identifies the comment: one for each account, region, cluster and app. GitHub does not show this line.
pub(super) fn comment_mark(run: &CommentRun) -> String {
    let place = run.place.as_deref().unwrap_or(UNKNOWN);
    let name =
        format!("{}/{}@{}", encode_name(&run.cluster), encode_name(&run.app), encode_name(&run.region));
    without_accounts(&format!("{START}{name}:{place} -->"), None)
}

/// A comment's relation to a text.
pub(crate) fn compare_marks(text: &str, comment: &str) -> Kin {
    let line = |text: &str| text.trim_start().lines().next().unwrap_or_default().trim_end().to_owned();
    let (own, other) = (line(text), line(comment));
    let ((Some(name), Some((region, place))), (Some(other_name), of_other)) =
        (mark_parts(&own), mark_parts(&other))
    else {
        return Kin::Other;
    };
    match of_other {
        _ if own == other => Kin::Same,
        _ if name != other_name => Kin::Other,
        None => Kin::Adoptable,
        Some((other_region, other_place)) => {
            let vague = place == UNKNOWN || other_place == UNKNOWN;
            if region == other_region && vague { Kin::Adoptable } else { Kin::Other }
        }
    }
}

/// Cluster and app of a mark; region and hash if present.
fn mark_parts(line: &str) -> (Option<&str>, Option<(&str, &str)>) {
    let inner = line.strip_prefix(START).and_then(|rest| rest.strip_suffix(" -->"));
    match inner.and_then(|inner| inner.split_once('@')) {
        Some((name, place)) => (Some(name), place.split_once(':')),
        None => (inner, None),
    }
}

/// Letters, digits, `.`, `_` and single `-` unchanged, other bytes as numbers: nothing can end the HTML comment.
fn encode_name(name: &str) -> String {
    let mut out = String::new();
    for byte in name.bytes() {
        match byte {
            b'-' if out.ends_with('-') => out.push_str("%2D"),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' | b'-' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A mark.
    fn of(names: (&str, &str), region: &str, account: Option<&str>) -> String {
        let place = place_sum(account, region, names);
        let (cluster, app) = (names.0.to_owned(), names.1.to_owned());
        comment_mark(&CommentRun { cluster, app, region: region.to_owned(), place, ..CommentRun::default() })
    }

    #[test]
    fn no_mark_can_be_closed_or_taken_for_another() {
        let known = of(("shop", "web"), "eu-west-1", Some("123456789012"));
        assert_eq!(known, "<!-- ecs-blue-green:shop/web@eu-west-1:79e1496b -->");
        assert_eq!(
            of(("shop-1", "a--> b"), "eu-west-1", None),
            "<!-- ecs-blue-green:shop-1/a-%2D%3E%20b@eu-west-1:unknown -->"
        );
        assert_ne!(of(("a/b", "c"), "eu-west-1", None), of(("a", "b/c"), "eu-west-1", None));
    }

    #[test]
    fn invariant_43_accounts_and_regions_have_comments_of_their_own() {
        let (web, here, account) = (("shop", "web"), "eu-west-1", Some("123456789012"));
        let own = of(web, here, account);
        let old = "<!-- ecs-blue-green:shop/web -->";
        let table = [
            (own.clone(), Kin::Same),
            (old.to_owned(), Kin::Adoptable),
            (of(web, here, None), Kin::Adoptable),
            (of(web, here, Some("999999999999")), Kin::Other),
            (of(web, "us-east-1", account), Kin::Other),
            (of(web, "us-east-1", None), Kin::Other),
            (of(("shop", "api"), here, account), Kin::Other),
            ("<!-- ecs-blue-green:shop/web2 -->".to_owned(), Kin::Other),
            ("A comment of a person".to_owned(), Kin::Other),
        ];
        for (comment, wanted) in table {
            assert_eq!(
                compare_marks(&format!("{own}\n### Done\n"), &format!("{comment}\r\nText")),
                wanted,
                "{comment}"
            );
        }
        assert_eq!(compare_marks(&of(web, here, None), &own), Kin::Adoptable, "the account is not known");
    }
}
