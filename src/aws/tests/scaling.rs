//! Scalable targets: how they are read, and how they are changed.

use serde_json::{Value, json};

use super::server::{Answer, Server, json as answer, refusal};
use crate::aws::Names;
use crate::plan::aws_error::{AwsErrorKind, AwsResult};
use crate::plan::color::ServiceColor;
use crate::plan::read_scope::ReadScope;
use crate::plan::snapshot::{Place, Scalable, Snapshot};
use crate::plan::step::{Purpose, Scaling};

/// The cluster `shop`.
fn place() -> Place {
    Place { cluster: "shop".to_owned(), ..Place::default() }
}

/// A look at services and scalable targets alone.
async fn look(server: &Server, services: &[(ServiceColor, &str)]) -> AwsResult<Snapshot> {
    let services = services.iter().map(|(color, name)| (*color, (*name).to_owned())).collect();
    let names = Names { place: place(), services, ..Names::default() };
    let look =
        ReadScope { wiring: false, health: false, definitions: false, scaling: true, ..ReadScope::WHOLE };
    server.aws().await.observe(&names, look).await
}

/// Services as far as they matter here.
fn services(names: &[&str]) -> Answer {
    let of = |name: &&str| json!({ "serviceName": name, "status": "ACTIVE" });
    answer(json!({ "services": names.iter().map(of).collect::<Vec<_>>() }).to_string())
}

/// A page with the scalable target of a service.
fn page(service: &str, suspended: &Value, next: Option<&str>) -> Answer {
    let target = json!({
        "ServiceNamespace": "ecs", "ResourceId": format!("service/shop/{service}"),
        "ScalableDimension": "ecs:service:DesiredCount", "MinCapacity": 2, "MaxCapacity": 10,
        "RoleARN": "arn:role", "CreationTime": 1_700_000_000, "SuspendedState": suspended
    });
    answer(json!({ "ScalableTargets": [target], "NextToken": next }).to_string())
}

#[tokio::test]
async fn scalable_targets_come_for_all_services_from_all_pages() {
    let server = Server::start(|request, number| match (request.operation().as_str(), number) {
        ("DescribeServices", _) => services(&["web-blue", "web-green", "web-dev"]),
        (_, 2) => refusal(request, 400, "ThrottlingException", "Rate exceeded"),
        (_, 3) => {
            let suspended = json!({
                "DynamicScalingInSuspended": true, "DynamicScalingOutSuspended": false,
                "ScheduledScalingSuspended": false
            });
            page("web-green", &suspended, Some("more"))
        }
        _ => page("web-dev", &Value::Null, None),
    })
    .await;
    let named = [
        (ServiceColor::Blue, "web-blue"),
        (ServiceColor::Green, "web-green"),
        (ServiceColor::Develop, "web-dev"),
    ];
    let snapshot = look(&server, &named).await.unwrap();
    let scaling: Vec<_> = snapshot.services.iter().map(|service| service.scaling.clone().unwrap()).collect();
    let target = Scalable { min: 2, max: 10, in_suspended: true, ..Scalable::default() };
    assert_eq!(scaling, [Ok(None), Ok(Some(target)), Ok(Some(Scalable { in_suspended: false, ..target }))]);
    let asked: Vec<Value> = server.requests().iter().skip(1).map(|request| request.json()).collect();
    let first = json!({
        "ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount",
        "ResourceIds": ["service/shop/web-blue", "service/shop/web-green", "service/shop/web-dev"]
    });
    let mut second = first.clone();
    second["NextToken"] = json!("more");
    assert_eq!(asked, [first.clone(), first, second]);
}

#[tokio::test]
async fn no_services_are_not_asked_about() {
    let server = Server::start(|_, _| services(&[])).await;
    assert!(look(&server, &[(ServiceColor::Blue, "web-blue")]).await.unwrap().services.is_empty());
    assert_eq!(server.operations(), ["DescribeServices"]);
}

#[tokio::test]
async fn scalable_targets_that_may_not_be_read_are_trouble_of_each_service() {
    let server = Server::start(|request, _| match request.operation().as_str() {
        "DescribeServices" => services(&["web-blue", "web-green"]),
        _ => refusal(request, 400, "AccessDeniedException", "not authorized"),
    })
    .await;
    let snapshot =
        look(&server, &[(ServiceColor::Blue, "web-blue"), (ServiceColor::Green, "web-green")]).await.unwrap();
    let troubles = snapshot.troubles();
    assert_eq!(troubles.len(), 2);
    assert_eq!(troubles[0].action, "application-autoscaling:DescribeScalableTargets");
    assert_eq!(troubles[0].kind, AwsErrorKind::Denied);
    assert_eq!(troubles[0].resource, "service/shop/web-blue, service/shop/web-green");
}

/// A change of green's scalable target that says nothing yet.
fn nothing() -> Scaling {
    Scaling {
        color: ServiceColor::Green,
        service: "web-green".to_owned(),
        min: None,
        max: None,
        in_suspended: None,
        new: false,
        purpose: Purpose::Traffic,
    }
}

#[tokio::test]
async fn a_scalable_target_is_told_only_what_changes() {
    let server = Server::start(|_, _| answer("{}")).await;
    let aws = server.aws().await;
    aws.scale(&place(), &Scaling { in_suspended: Some(true), ..nothing() }, Scalable::default())
        .await
        .unwrap();
    aws.scale(&place(), &Scaling { min: Some(3), ..nothing() }, Scalable::default()).await.unwrap();
    aws.scale(
        &place(),
        &Scaling { max: Some(9), in_suspended: Some(false), ..nothing() },
        Scalable::default(),
    )
    .await
    .unwrap();
    let bodies: Vec<Value> = server.requests().iter().map(|request| request.json()).collect();
    let with = |more: Value| {
        let mut body = json!({
            "ServiceNamespace": "ecs", "ResourceId": "service/shop/web-green",
            "ScalableDimension": "ecs:service:DesiredCount"
        });
        for (key, value) in more.as_object().unwrap() {
            body[key] = value.clone();
        }
        body
    };
    let suspended = |scale_in: bool| {
        json!({
            "DynamicScalingInSuspended": scale_in, "DynamicScalingOutSuspended": false,
            "ScheduledScalingSuspended": false
        })
    };
    let expected = [
        with(json!({ "SuspendedState": suspended(true) })),
        with(json!({ "MinCapacity": 3 })),
        with(json!({ "MaxCapacity": 9, "SuspendedState": suspended(false) })),
    ];
    assert_eq!(bodies, expected);
}

#[tokio::test]
async fn invariant_35_a_scalable_target_without_an_answer_is_written_once() {
    for dropped in [false, true] {
        let server = Server::start(move |request, _| {
            if dropped { Answer::Drop } else { refusal(request, 500, "InternalServiceException", "boom") }
        })
        .await;
        let trouble = server.aws().await.scale(&place(), &nothing(), Scalable::default()).await.unwrap_err();
        assert_eq!((trouble.kind, trouble.effect_unknown), (AwsErrorKind::Unreachable, true));
        assert_eq!(server.operations(), ["RegisterScalableTarget"]);
    }
}

#[tokio::test]
async fn refusals_of_application_auto_scaling_had_no_effect() {
    use AwsErrorKind::{Missing, Refused, Throttled};
    for (code, kind) in [
        ("ValidationException", Refused),
        ("LimitExceededException", Refused),
        ("ObjectNotFoundException", Missing),
        ("FailedResourceAccessException", Throttled),
        ("ConcurrentUpdateException", Throttled),
    ] {
        let server = Server::start(move |request, _| refusal(request, 400, code, "AWS says so")).await;
        let trouble = server.aws().await.scale(&place(), &nothing(), Scalable::default()).await.unwrap_err();
        assert_eq!((trouble.kind, trouble.effect_unknown), (kind, false), "{code}");
        assert_eq!((trouble.code.as_deref(), trouble.message.as_str()), (Some(code), "AWS says so"));
        assert_eq!(trouble.action, "application-autoscaling:RegisterScalableTarget");
        assert_eq!(trouble.resource, "service/shop/web-green");
    }
}
