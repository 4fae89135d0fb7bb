//! Commands to paste. They name no account: their first line fetches the account id.

use super::names::shell_quote;
use crate::plan::arn::Arn;

/// The account id as a variable of the shell.
const FETCHED: &str = r#""$ACCOUNT_ID""#;

/// The account id of an ARN; none if the text is no ARN. The region may be empty, as in ARNs of IAM.
fn arn_account(arn: &str) -> Option<&str> {
    let account = arn.split(':').nth(4)?;
    (Arn::looks_like(arn) && account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()))
        .then_some(account)
}

/// An ARN as an argument of a command. The shell inserts the account id.
pub(super) fn arn_argument(arn: &str) -> String {
    let argument = shell_quote(arn);
    match arn_account(arn) {
        // The shell inserts nothing inside single quotes.
        Some(_) if argument.starts_with('\'') => quoted_argument(arn, arn),
        Some(account) => argument.replace(account, FETCHED),
        None => argument,
    }
}

/// Text in single quotes as an argument of a command. The shell inserts the account id of `arn`.
pub(super) fn quoted_argument(text: &str, arn: &str) -> String {
    let argument = format!("'{}'", text.replace('\'', r"'\''"));
    match arn_account(arn) {
        Some(account) => argument.replace(account, &format!("'{FETCHED}'")),
        None => argument,
    }
}

/// The commands, each on an indented line to be pasted, after a line that fetches the account id if a command needs the
/// id.
pub(super) fn paste_block(commands: &[String], region: Option<&str>) -> String {
    let region = region.map(|region| format!(" --region {region}")).unwrap_or_default();
    let fetch =
        format!("  ACCOUNT_ID=$(aws sts get-caller-identity{region} --query Account --output text)\n");
    let needed = commands.iter().any(|command| command.contains(FETCHED));
    let first = if needed { fetch } else { String::new() };
    first + &commands.join("\n")
}

/// Runs pasted text in a shell, with an `aws` that knows this account and prints the arguments of each other call.
/// Returns one list of arguments per call.
#[cfg(test)]
pub(super) fn pasted(text: &str, account: &str) -> Vec<Vec<String>> {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let aws = folder.path().join("aws");
    let script = format!(
        "#!/bin/sh\nif [ \"$1\" = sts ]; then echo {account}; exit; fi\nfor word; do printf '%s\\036' \"$word\"; done\nprintf '\\035'\n"
    );
    std::fs::write(&aws, script).unwrap();
    std::fs::set_permissions(&aws, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", folder.path().display());
    let done =
        std::process::Command::new("sh").args(["-euc", text]).env_clear().env("PATH", path).output().unwrap();
    assert!(done.status.success() && done.stderr.is_empty(), "{done:?}");
    let calls = String::from_utf8(done.stdout).unwrap();
    let words = |call: &str| call.split_terminator('\u{1e}').map(str::to_owned).collect();
    calls.split_terminator('\u{1d}').map(words).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The arguments of a command that was pasted in another account.
    fn arguments(argument: &str) -> Vec<String> {
        let command = paste_block(&[format!("  aws elbv2 call {argument}")], Some("eu-west-1"));
        assert!(!command.contains("123456789012"), "{command}");
        pasted(&command, "210987654321").concat().split_off(2)
    }

    #[test]
    fn a_pasted_command_fetches_the_account_id() {
        let table = [
            "arn:aws:iam::123456789012:role/deploy",
            "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/shop/1/2",
            "arn:aws-cn:elasticloadbalancing:cn-north-1:123456789012:listener/app/it's $HOME/1/2",
        ];
        for arn in table {
            let there = arn.replace("123456789012", "210987654321");
            assert_eq!(arguments(&arn_argument(arn)), std::slice::from_ref(&there), "{arn}");
            let json = format!(r#"[{{"TargetGroupArn": "{arn}", "Scope": "d'or $(false)"}}]"#);
            let found = arguments(&quoted_argument(&json, arn));
            assert_eq!(found, [json.replace(arn, &there)], "{arn}");
        }
    }

    #[test]
    fn a_command_without_an_account_id_fetches_none() {
        assert_eq!(paste_block(&["  aws ecs call".to_owned()], None), "  aws ecs call");
        for argument in ["LISTENER_ARN", "arn:x", "a:b:c:d:123456789012:e"] {
            assert_eq!(arn_argument(argument), argument);
        }
        assert_eq!(quoted_argument("[]", "arn:x"), "'[]'");
    }
}
