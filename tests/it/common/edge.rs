//! What a run says that was refused before AWS was asked.

use testbed::Testbed;

use super::{Action, Done};

/// Runs a command with the sample's names, which is refused for what `change` does to it without one call of AWS.
#[track_caller]
pub(crate) fn refused(command: &str, change: impl FnOnce(Action) -> Action) -> Done {
    let bed = Testbed::start(testbed::Options::default()).expect("the testbed starts");
    let done = change(Action::new(&bed, command)).run();
    done.expect(1, "refused", "bad-input", "untouched");
    done.says("::error title=");
    let told =
        done.log.lines().filter(|line| *line == "Nothing was changed in AWS. Correct it, then run again.");
    assert_eq!(told.count(), 1, "each problem is listed once:\n{}", done.log);
    assert!(bed.calls().is_empty(), "AWS was asked: {:?}", bed.calls());
    let told = read_summary(&done);
    assert!(told.starts_with("### ⛔ Refused (bad-input)\n"), "{told}");
    for problem in problems(&done) {
        let problem = problem.replace("123456789012", "ACCOUNT_ID");
        assert!(told.contains(&problem), "the summary does not say `{problem}`:\n{}", done.summary);
    }
    done
}

/// The job summary as GitHub shows it, code in backticks.
fn read_summary(done: &Done) -> String {
    let mut text = done.summary.replace("<wbr>", "").replace("<code>", "`").replace("</code>", "`");
    for sign in "!\"#$%&'()*+<>[]\\^_`{|}~@:".chars() {
        text = text.replace(&format!("&#{};", u32::from(sign)), &sign.to_string());
    }
    text
}

/// The problems that the log lists, one for each.
pub(crate) fn problems(done: &Done) -> Vec<String> {
    let told = done.log.split_once(": Not started. ").map_or("", |(_, told)| told);
    let mut lines = told.lines();
    let first = lines.next().unwrap_or_default();
    if !first.ends_with(" problems:") {
        return vec![first.to_owned()];
    }
    let numbered = |line: &str| {
        let (number, rest) = line.split_once(". ")?;
        number.parse::<u32>().ok().map(|_| rest.to_owned())
    };
    lines.map_while(numbered).collect()
}
