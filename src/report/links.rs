//! Links into the AWS console, without account ids, and to a workflow's page on GitHub.

use crate::event::LogLink;
use crate::plan::snapshot::Place;

/// The console's host for a region; China and GovCloud have their own.
fn console_url(region: &str) -> String {
    let domain = if region.starts_with("cn-") {
        "console.amazonaws.cn"
    } else if region.starts_with("us-gov-") {
        "console.amazonaws-us-gov.com"
    } else {
        "console.aws.amazon.com"
    };
    format!("https://{region}.{domain}")
}

/// The log stream of a task's container in CloudWatch Logs.
pub(crate) fn log_stream(link: &LogLink) -> String {
    let (host, region) = (console_url(&link.region), percent_encode(&link.region));
    let (group, stream) = (encode_for_logs(&link.group), encode_for_logs(&link.stream));
    format!("{host}/cloudwatch/home?region={region}#logsV2:log-groups/log-group/{group}/log-events/{stream}")
}

/// The page of an ECS service.
pub(crate) fn service_page(place: &Place, service: &str) -> String {
    let (host, region) = (console_url(&place.region), percent_encode(&place.region));
    let (cluster, service) = (percent_encode(&place.cluster), percent_encode(service));
    format!("{host}/ecs/v2/clusters/{cluster}/services/{service}/health?region={region}")
}

/// The page of a workflow, which starts it by hand. `run` is the page of a run in the same repository.
pub(crate) fn workflow_page(run: &str, file: &str) -> Option<String> {
    let (repository, _) = run.split_once("/actions/runs/")?;
    Some(format!("{repository}/actions/workflows/{}", percent_encode(file)))
}

/// Percent-encodes all but the unreserved characters of RFC 3986.
fn percent_encode(text: &str) -> String {
    let one = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(one).collect()
}

/// The console's own encoding behind `#logsV2:`: percent-encoded twice, with `$` for the outer percent sign.
fn encode_for_logs(text: &str) -> String {
    percent_encode(&percent_encode(text)).replace('%', "$")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A link to a log in a region.
    fn link(region: &str) -> LogLink {
        LogLink {
            task: "0123".to_owned(),
            container: "app".to_owned(),
            group: "/ecs/web".to_owned(),
            stream: "web/app/0123 [x]".to_owned(),
            region: region.to_owned(),
        }
    }

    #[test]
    fn a_log_stream_is_encoded_as_the_console_wants_it() {
        insta::assert_snapshot!(log_stream(&link("eu-west-1")), @"https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/$252Fecs$252Fweb/log-events/web$252Fapp$252F0123$2520$255Bx$255D");
    }

    #[test]
    fn each_partition_has_its_console() {
        let place = |region: &str| Place {
            region: region.to_owned(),
            cluster: "shop".to_owned(),
            ..Place::default()
        };
        let pages: Vec<String> = ["eu-west-1", "cn-north-1", "us-gov-west-1"]
            .iter()
            .map(|region| service_page(&place(region), "web-green"))
            .collect();
        insta::assert_snapshot!(pages.join("\n"), @r"
        https://eu-west-1.console.aws.amazon.com/ecs/v2/clusters/shop/services/web-green/health?region=eu-west-1
        https://cn-north-1.console.amazonaws.cn/ecs/v2/clusters/shop/services/web-green/health?region=cn-north-1
        https://us-gov-west-1.console.amazonaws-us-gov.com/ecs/v2/clusters/shop/services/web-green/health?region=us-gov-west-1
        ");
    }

    proptest! {
        #[test]
        fn nothing_foreign_leaves_the_link(group in "\\PC{0,40}", stream in "\\PC{0,40}") {
            let url = log_stream(&LogLink { group, stream, ..link("eu-west-1") });
            prop_assert!(url.bytes().all(|b| b.is_ascii_graphic()) && !url.contains(['<', '>', ')', '|', '"']), "{url}");
        }
    }
}
