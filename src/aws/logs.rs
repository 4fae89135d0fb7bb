//! The log of a container, from CloudWatch Logs.

use std::time::Duration;

use super::clients::Aws;
use super::errors::{read_error, unexpected_response};
use crate::clock;
use crate::plan::aws_error::{AwsErrorKind, AwsResult};

/// The IAM action of GetLogEvents.
const GET_LOG_EVENTS: &str = "logs:GetLogEvents";

/// Longest time for the read.
const LONGEST_READ: Duration = Duration::from_secs(5);

impl Aws {
    /// The texts of the newest events of a stream, oldest first.
    pub(crate) async fn newest_events(
        &self,
        (group, stream, region): (&str, &str, &str),
        most: i32,
    ) -> AwsResult<Vec<String>> {
        let asked = self.logs(region).get_log_events().log_group_name(group).log_stream_name(stream);
        let sent = asked.start_from_head(false).limit(most).send();
        let answer = clock::with_timeout(LONGEST_READ, sent).await.ok_or_else(|| {
            let message = "no answer within five seconds";
            unexpected_response(AwsErrorKind::TimedOut, GET_LOG_EVENTS, group, message)
        })?;
        let events = answer.map_err(read_error(GET_LOG_EVENTS, group))?.events.unwrap_or_default();
        Ok(events.into_iter().filter_map(|event| event.message).collect())
    }
}
