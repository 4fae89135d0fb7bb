//! Doing one step.

use super::drive::Drive;
use super::tags::tags;
use crate::aws::Aws;
use crate::http::{ProbeAnswer, probe};
use crate::plan::definition::{Content, family, same_content, tag};
use crate::plan::probe::judge;
use crate::plan::run::Answer;
use crate::plan::step::{ProbeFailure, ProbeFailureKind, Step};
use crate::plan::trouble::{Read, TroubleKind};
use crate::report::words;

/// Does it, and brings its answer.
pub(crate) async fn apply(drive: &Drive<'_>, step: &Step) -> Read<Answer> {
    let aws = &drive.session.aws;
    match step {
        Step::Find { .. } => Ok(Answer::Found(holding(aws, &drive.goal.content).await?)),
        Step::Register { .. } => {
            let mut content = drive.goal.content.clone();
            tag(&mut content, &tags(drive.session.context));
            Ok(Answer::Registered(aws.register(&content).await?.arn))
        }
        Step::Update(update) => {
            let service = aws.update_service(&drive.session.names.place, update).await?;
            Ok(Answer::Updated(Box::new(service)))
        }
        Step::Probe => Ok(Answer::Probed(probes(drive).await)),
        Step::Weights(_) | Step::Scaling(_) => Ok(Answer::Changed),
    }
}

/// The newest revision of the content's family, if it holds this content.
pub(crate) async fn holding(aws: &Aws, content: &Content) -> Read<Option<String>> {
    match aws.revision(family(content)).await {
        Ok(newest) if same_content(&newest.content, content) => Ok(Some(newest.arn)),
        Ok(_) => Ok(None),
        Err(trouble) if trouble.kind == TroubleKind::Missing => Ok(None),
        Err(trouble) => Err(trouble),
    }
}

/// Asks the probes one after the other; the first wrong answer ends it.
async fn probes(drive: &Drive<'_>) -> Result<(), ProbeFailure> {
    let Some(address) = &drive.test else {
        let kind = ProbeFailureKind::Unreachable { why: words::NO_TEST_LISTENER.to_owned() };
        return Err(ProbeFailure { url: String::new(), kind });
    };
    for wanted in drive.session.settings.probes() {
        let url = format!("{}{}", address.url(), wanted.path);
        match probe(&drive.session.http, &url, address.host.as_deref()).await {
            ProbeAnswer::Answered { status, body } => judge(wanted, &url, status, &body)?,
            ProbeAnswer::Unreachable { why } => {
                return Err(ProbeFailure { url, kind: ProbeFailureKind::Unreachable { why } });
            }
        }
    }
    Ok(())
}
