//! `testbed record`: compares the testbed's answers with the AWS of the user's own account. Reads one pair of services
//! there and the sample here by the same calls, compares the shapes of the answers, and checks the facts behind the
//! decisions.

mod facts;
mod options;
mod print;
mod shape;
mod walk;
mod wire;
mod writes;

use std::collections::BTreeMap;
use std::io;
use std::process::ExitCode;

use serde_json::json;
use testbed::sample::{self, Sample};
use testbed::{Options, Service, Testbed};

use options::Asked;
use shape::Shape;
use walk::{Record, Subject};
use wire::Endpoint;

/// The shape of each call's answers, by its name.
type Shapes = BTreeMap<String, Shape>;

/// Records, compares, and prints. Exit code 1 if an answer has another kind or a fact differs.
///
/// # Errors If the words are invalid, or AWS or the services are unreachable.
pub(crate) fn run(words: &[&str]) -> io::Result<ExitCode> {
    let asked = options::parse(words)?;
    let bed = Testbed::start(Options::default())?;
    let sample = sample::create_with(&bed, &sample::Stack::served())?;
    add_rule(&bed, &sample)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let user = Endpoint::of_environment(asked.region.clone()).await?;
        let own = Endpoint::of_testbed(&bed.client_env())?;
        let here = Subject { cluster: sample.cluster, services: vec!["web-blue".into(), "web-green".into()] };
        let theirs = record(&user, &asked, &asked.subject).await?;
        let ours = record(&own, &asked, &here).await?;
        let good = print::report(&theirs, &ours, asked.write)?;
        if let Some(path) = &asked.shapes {
            std::fs::write(path, serde_json::to_string_pretty(&print::fields(&shapes(&theirs)))?)?;
        }
        Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

/// Adds a rule with the split of the sample's default rule: only a non-default rule is written unchanged.
fn add_rule(bed: &Testbed, sample: &Sample) -> io::Result<()> {
    let group = |arn: &String, weight: u32| json!({"TargetGroupArn": arn, "Weight": weight});
    let groups = [group(&sample.blue_group, 100), group(&sample.green_group, 0)];
    let input = json!({
        "ListenerArn": sample.production_listener,
        "Priority": 10,
        "Conditions": [{"Field": "path-pattern", "Values": ["/api/*"]}],
        "Actions": [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}],
    });
    let made = bed.call(Service::Elb, "CreateRule", input);
    made.map(|_| ()).map_err(|error| io::Error::other(format!("{}: {}", error.code, error.message)))
}

/// Makes all calls to one AWS.
async fn record<'a>(endpoint: &'a Endpoint, asked: &Asked, subject: &Subject) -> io::Result<Record<'a>> {
    let mut record = Record::new(endpoint);
    walk::read(&mut record, subject).await?;
    if asked.write {
        writes::write(&mut record, subject).await?;
    }
    Ok(record)
}

/// The shapes of all answers; errors apart from results.
fn shapes(record: &Record<'_>) -> Shapes {
    let mut shapes = Shapes::new();
    for call in &record.calls {
        let name = match &call.answer.code {
            None => call.name.clone(),
            Some(code) => format!("{} ({code})", call.name),
        };
        shapes.entry(name).or_default().add(&call.answer.body);
    }
    shapes
}
