//! The last lines of a log, as the log, the summary and the comment show them.

use proptest::prelude::*;

use super::*;
use crate::plan::aws_error::{AwsError, AwsErrorKind, AwsResult};
use crate::plan::sample::trouble;
use crate::report::secrets::{forget, register_secret_names, register_secrets};

/// The tail of a container's log.
fn tail(events: AwsResult<Vec<String>>) -> LogTail {
    LogTail { container: "app".to_owned(), events }
}

/// A tail with these events.
fn written(events: &[&str]) -> LogTail {
    tail(Ok(events.iter().map(|event| (*event).to_owned()).collect()))
}

/// The lines of the job log.
fn logged(tail: &LogTail) -> String {
    tail_lines(tail).iter().map(|line| line.text.clone()).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_last_lines_are_quoted_in_the_log_and_fenced_in_the_summary() {
    let tail = written(&["listening on 8080", "", "{\"level\":\"fatal\",\"msg\":\"no database\"}"]);
    insta::assert_snapshot!(logged(&tail), @r#"
    The last 2 lines of the log of `app`:
    | listening on 8080
    | {"level":"fatal","msg":"no database"}
    "#);
    insta::assert_snapshot!(tail_section(&tail, true), @r#"
    <details open><summary>The last 2 lines of the log of <code>app</code></summary>

    ```text
    listening on 8080
    {"level":"fatal","msg":"no database"}
    ```

    </details>
    "#);
    assert!(
        tail_section(&written(&["one"]), false).starts_with("<details><summary>The last line of the log of")
    );
}

#[test]
fn a_log_without_lines_or_without_an_answer_is_one_sentence() {
    assert_eq!(logged(&written(&[])), "The log of `app` is empty.");
    assert_eq!(logged(&written(&["", " \n\u{1b}[0m"])), "The log of `app` is empty.");
    let error = |kind, code: &str, message: &str| AwsError {
        action: "logs:GetLogEvents",
        resource: "/ecs/shop".to_owned(),
        code: Some(code.to_owned()),
        message: message.to_owned(),
        ..trouble(kind)
    };
    let missing =
        error(AwsErrorKind::Missing, "ResourceNotFoundException", "The specified log stream does not exist.");
    insta::assert_snapshot!(logged(&tail(Err(missing))), @"The log of `app` is not shown. AWS does not find `/ecs/shop` (`logs:GetLogEvents`, ResourceNotFoundException): The specified log stream does not exist.");
    let stream = "arn:aws:logs:eu-west-1:123456789012:log-group:/ecs/shop:log-stream:web/app/0123";
    let denied = format!(
        "User: arn:aws:sts::123456789012:assumed-role/deploy/ci is not authorized to perform: logs:GetLogEvents on resource: {stream} because no identity-based policy allows the logs:GetLogEvents action"
    );
    let denied = error(AwsErrorKind::Denied, "AccessDeniedException", &denied);
    insta::assert_snapshot!(logged(&tail(Err(denied))), @r#"
    The log of `app` is not shown. AWS denied `logs:GetLogEvents` on `arn:aws:logs:eu-west-1:123456789012:log-group:/ecs/shop:log-stream:web/app/0123` to `arn:aws:sts::123456789012:assumed-role/deploy/ci` (AccessDeniedException): no identity-based policy allows the logs:GetLogEvents action.
    Add this statement to the role's policy:
      { "Effect": "Allow", "Action": "logs:GetLogEvents", "Resource": "arn:aws:logs:eu-west-1:123456789012:log-group:/ecs/shop:log-stream:*" }
    "#);
}

#[test]
fn invariant_32_values_and_secrets_are_hidden_in_a_log() {
    forget();
    register_secrets(["Zq-planted-value", "Zq-first-line\nZq-second-line"]);
    register_secret_names(["DB_PASSWORD"]);
    let tail = written(&[
        "password Zq-pla\u{1b}[31mnted-value!",
        "{\"DB_PASSWORD\":\"hunter2\"}",
        "key Zq-first-line",
        "Zq-second-line",
        "Z\0q\0-\0p\0l\0a\0n\0t\0e\0d\0-\0v\0a\0l\0u\0e\0 DB_PASS\u{200b}WORD:\thunter2",
        "postgres://shop:hunter2@db/shop",
        &format!("{} Zq-planted-value", "x".repeat(488)),
    ]);
    let text = logged(&tail) + &tail_section(&tail, true);
    assert!(!text.contains("Zq-") && !text.contains("hunter2"), "{text}");
    insta::assert_snapshot!(shown_lines(tail.events.as_ref().unwrap())[..5].join("\n"), @r#"
    password ***!
    {"DB_PASSWORD":"***"}
    key ***
    *** DB_PASSWORD:    ***
    postgres://shop:***@db/shop
    "#);
    forget();
}

#[test]
fn a_log_can_not_escape_its_fence_and_can_not_command_the_runner() {
    let tail =
        written(&["````\n</details>", "::add-mask::app", "a\r::error::b", "\u{1b}]0;title\u{7}\u{202e}c\td"]);
    insta::assert_snapshot!(tail_section(&tail, true), @r"
    <details open><summary>The last 6 lines of the log of <code>app</code></summary>

    `````text
    ````
    </details>
    ::add-mask::app
    a
    ::error::b
    c    d
    `````

    </details>
    ");
    assert!(tail_lines(&tail).iter().all(|line| line.foreign && !line.text.starts_with("::")));
}

#[test]
fn only_the_last_lines_are_shown_and_long_lines_are_cut() {
    let many: Vec<String> = (1..=30).map(|line| format!("line {line}")).collect();
    let shown = shown_lines(&many);
    assert_eq!((shown.len(), shown[0].as_str(), shown[19].as_str()), (20, "line 11", "line 30"));
    let shown = shown_lines(&["ä".repeat(600), "short".to_owned()]);
    assert_eq!((shown[0].chars().count(), shown[0].ends_with("ä…")), (500, true));
    let shown = shown_lines(&vec!["€".repeat(490); 20]);
    assert_eq!(shown.len(), 2, "4 KiB hold two lines of 1,470 bytes");
}

proptest! {
    #[test]
    fn any_log_stays_small_and_inert(events in prop::collection::vec("(?s)(\u{1b}|\\[|\\]|::|`|m|1|ä|\n|\r|.){0,60}", 0..40)) {
        let lines = shown_lines(&events);
        prop_assert!(lines.len() <= MOST_LINES);
        prop_assert!(lines.iter().map(|line| line.len() + 1).sum::<usize>() <= MOST_BYTES);
        prop_assert!(!lines.iter().any(|line| line.contains(|c: char| c.is_control())));
    }
}
