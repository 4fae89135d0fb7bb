//! Both protocols over real sockets: answers, errors, faults, the record.

use ciborium::Value as Cbor;
use serde_json::{Value, json};
use testbed::{Effect, Fault, Service};

use super::bed::{Answer, Bed, orders};

/// Sends CBOR as AWS's Rust SDK does.
fn cbor(bed: &Bed, operation: &str, body: &Cbor) -> Answer {
    let mut bytes = Vec::new();
    ciborium::into_writer(body, &mut bytes).expect("bytes");
    let path = format!("/service/GraniteServiceVersion20100801/operation/{operation}");
    let headers = "content-type: application/cbor\r\naccept: application/cbor\r\nsmithy-protocol: rpc-v2-cbor\r\n\
                   x-amzn-query-mode: true\r\n";
    bed.send(&path, headers, &bytes)
}

/// Sends JSON 1.0 as boto3 did before it spoke CBOR.
fn json10(bed: &Bed, operation: &str, body: &Value) -> Answer {
    let target = format!("GraniteServiceVersion20100801.{operation}");
    let headers = format!("content-type: application/x-amz-json-1.0\r\nx-amz-target: {target}\r\n");
    bed.send("/", &headers, body.to_string().as_bytes())
}

/// A map with texts as keys.
fn map(fields: &[(&str, Cbor)]) -> Cbor {
    Cbor::Map(fields.iter().map(|(name, value)| (Cbor::from(*name), value.clone())).collect())
}

/// A field of a map.
fn field<'a>(value: &'a Cbor, name: &str) -> &'a Cbor {
    let fields = value.as_map().expect("a map");
    &fields
        .iter()
        .find(|(key, _)| key.as_text() == Some(name))
        .unwrap_or_else(|| panic!("no {name}: {value:?}"))
        .1
}

/// The body of an answer.
fn read(answer: &Answer) -> Cbor {
    ciborium::from_reader(&answer.body[..]).expect("CBOR")
}

#[test]
fn cbor_carries_times_with_a_tag_and_doubles_as_floats() {
    let bed = Bed::start();
    let alarm = map(&[
        ("AlarmName", "a".into()),
        ("Namespace", "Shop".into()),
        ("MetricName", "Orders".into()),
        ("Statistic", "Sum".into()),
        ("Period", 60.into()),
        ("EvaluationPeriods", 1.into()),
        ("Threshold", 5.0.into()),
        ("ComparisonOperator", "GreaterThanThreshold".into()),
    ]);
    let answer = cbor(&bed, "PutMetricAlarm", &alarm);
    assert!(answer.head.starts_with("http/1.1 200 "), "{}", answer.head);
    assert!(answer.head.contains("smithy-protocol: rpc-v2-cbor\r\n"), "{}", answer.head);
    assert!(
        answer.head.contains("content-type: application/cbor\r\n")
            && answer.head.contains("x-amzn-requestid: ")
    );
    assert_eq!(read(&answer), map(&[]));
    let answer = read(&cbor(&bed, "DescribeAlarms", &map(&[])));
    let alarm = &field(&answer, "MetricAlarms").as_array().expect("a list")[0];
    assert_eq!(field(alarm, "Threshold"), &Cbor::Float(5.0));
    assert_eq!(field(alarm, "Period"), &Cbor::Integer(60.into()));
    assert_eq!(field(alarm, "ActionsEnabled"), &Cbor::Bool(true));
    let Cbor::Tag(1, seconds) = field(alarm, "StateUpdatedTimestamp") else { panic!("no time: {alarm:?}") };
    assert!(seconds.is_float());
}

#[test]
fn cbor_reads_times() {
    let bed = Bed::start();
    bed.value(7.0);
    let time = |seconds: f64| Cbor::Tag(1, Box::new(seconds.into()));
    let now =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time").as_secs_f64();
    let metric = map(&[("Namespace", "Shop".into()), ("MetricName", "Orders".into())]);
    let stat = map(&[("Metric", metric), ("Period", 60.into()), ("Stat", "Average".into())]);
    let query = map(&[("Id", "m1".into()), ("MetricStat", stat)]);
    let input = map(&[
        ("StartTime", time(now - 60.0)),
        ("EndTime", Cbor::Tag(1, Box::new(Cbor::from(now as u64 + 60)))),
        ("MetricDataQueries", Cbor::Array(vec![query])),
    ]);
    let answer = read(&cbor(&bed, "GetMetricData", &input));
    let result = &field(&answer, "MetricDataResults").as_array().expect("a list")[0];
    assert_eq!(field(result, "Values"), &Cbor::Array(vec![Cbor::Float(7.0)]));
    assert!(matches!(field(result, "Timestamps").as_array().expect("a list")[0], Cbor::Tag(1, _)));
}

#[test]
fn json_1_0_says_the_same() {
    let bed = Bed::start();
    let answer = json10(&bed, "PutMetricAlarm", &orders("a", json!({})));
    assert!(answer.head.contains("content-type: application/x-amz-json-1.0\r\n"), "{}", answer.head);
    let answer: Value =
        serde_json::from_slice(&json10(&bed, "DescribeAlarms", &json!({})).body).expect("JSON");
    assert_eq!(answer["MetricAlarms"][0]["Threshold"], json!(5.0));
    assert!(answer["MetricAlarms"][0]["StateUpdatedTimestamp"].is_f64());
    let answer =
        json10(&bed, "SetAlarmState", &json!({ "AlarmName": "b", "StateValue": "OK", "StateReason": "x" }));
    assert!(answer.head.starts_with("http/1.1 404 "), "{}", answer.head);
    let body: Value = serde_json::from_slice(&answer.body).expect("JSON");
    assert_eq!(body, json!({ "__type": "ResourceNotFound", "message": "The alarm does not exist." }));
}

#[test]
fn errors_name_the_shape_and_the_code_of_the_query_protocol() {
    let bed = Bed::start();
    let datum = map(&[("MetricName", "x".into()), ("Value", 1.0.into())]);
    let input = map(&[("Namespace", "AWS/ECS".into()), ("MetricData", Cbor::Array(vec![datum]))]);
    let answer = cbor(&bed, "PutMetricData", &input);
    assert!(answer.head.starts_with("http/1.1 400 "), "{}", answer.head);
    assert!(answer.head.contains("x-amzn-query-error: invalidparametervalue;sender\r\n"), "{}", answer.head);
    assert_eq!(field(&read(&answer), "__type"), &Cbor::from("InvalidParameterValueException"));
    let message = "The value AWS/ECS for parameter Namespace is invalid.";
    assert_eq!(field(&read(&answer), "message"), &Cbor::from(message));
    let answer = cbor(&bed, "Nope", &map(&[]));
    assert_eq!(field(&read(&answer), "__type"), &Cbor::from("UnknownOperationException"));
    let path = "/service/GraniteServiceVersion20100801/operation/DescribeAlarms";
    let answer = bed.send(path, "content-type: application/cbor\r\n", b"\xbf\x61");
    assert_eq!(field(&read(&answer), "__type"), &Cbor::from("SerializationException"));
    let answer = bed.send("/service/Nobody/operation/DescribeAlarms", "", b"");
    assert!(answer.head.starts_with("http/1.1 404 "), "{}", answer.head);
}

#[test]
fn faults_and_the_record_know_cloudwatch() {
    let bed = Bed::start();
    for (effect, code) in [
        (Effect::Throttle, "ThrottlingException"),
        (Effect::Expire, "ExpiredTokenException"),
        (Effect::Deny, "AccessDeniedException"),
    ] {
        bed.0.clear_faults();
        bed.0.fault(Fault::on("DescribeAlarms", effect).service(Service::CloudWatch));
        let input = map(&[("AlarmNames", Cbor::Array(vec!["web-5xx".into()]))]);
        let answer = read(&cbor(&bed, "DescribeAlarms", &input));
        assert_eq!(field(&answer, "__type"), &Cbor::from(code));
        if code == "AccessDeniedException" {
            let text = field(&answer, "message").as_text().expect("a text");
            assert!(
                text.contains("cloudwatch:DescribeAlarms on resource: arn:aws:cloudwatch:eu-west-1:"),
                "{text}"
            );
            assert!(text.contains(":alarm:web-5xx because"), "{text}");
        }
    }
    bed.0.clear_faults();
    bed.0.fault(Fault::on("PutMetricAlarm", Effect::DropAfter));
    let answer = json10(&bed, "PutMetricAlarm", &orders("a", json!({})));
    assert!(answer.head.is_empty() && !bed.alarm("a").is_null(), "carried out, and not answered");
    let calls = bed.0.calls();
    assert_eq!(calls.iter().map(|call| call.write).collect::<Vec<_>>(), [false, false, false, true]);
    let last = calls.last().expect("a call");
    assert!(last.service == Service::CloudWatch && last.dropped && last.input["AlarmName"] == "a");
}

#[test]
fn an_empty_body_is_an_empty_input() {
    let bed = Bed::start();
    let answer = bed.send("/service/GraniteServiceVersion20100801/operation/DescribeAlarms", "", b"");
    assert!(answer.head.starts_with("http/1.1 200 "), "{}", answer.head);
    assert_eq!(field(&read(&answer), "MetricAlarms"), &Cbor::Array(Vec::new()));
}

/// Sends a form as older clients do.
fn form(bed: &Bed, body: &str) -> (String, String) {
    let headers = "content-type: application/x-www-form-urlencoded\r\n";
    let answer = bed.send("/", headers, format!("Version=2010-08-01&{body}").as_bytes());
    (answer.head, String::from_utf8(answer.body).expect("a text"))
}

#[test]
fn alarms_come_and_go_as_forms() {
    let bed = Bed::start();
    let put = "Action=PutMetricAlarm&AlarmName=a&ActionsEnabled=false&AlarmActions=&OKActions.member.1=arn%3Aaws%3Asns%3Aeu-west-1%3A123456789012%3Aops\
               &EvaluationPeriods=2&Threshold=40.5&ComparisonOperator=LessThanThreshold&Metrics.member.1.Id=m\
               &Metrics.member.1.ReturnData=true&Metrics.member.1.MetricStat.Period=60\
               &Metrics.member.1.MetricStat.Stat=Average&Metrics.member.1.MetricStat.Metric.Namespace=Shop\
               &Metrics.member.1.MetricStat.Metric.MetricName=Orders\
               &Metrics.member.1.MetricStat.Metric.Dimensions.member.1.Name=Size\
               &Metrics.member.1.MetricStat.Metric.Dimensions.member.1.Value=7";
    let (head, body) = form(&bed, put);
    assert!(head.starts_with("http/1.1 200 ") && head.contains("content-type: text/xml"), "{head}{body}");
    let open = "<PutMetricAlarmResponse xmlns=\"http://monitoring.amazonaws.com/doc/2010-08-01/\"><ResponseMetadata>";
    assert!(body.starts_with(open), "no output, so no result: {body}");
    let alarm = bed.alarm("a");
    assert_eq!(
        (&alarm["Threshold"], &alarm["EvaluationPeriods"], &alarm["ActionsEnabled"]),
        (&json!(40.5), &json!(2), &json!(false))
    );
    assert_eq!(alarm["AlarmActions"], json!([]));
    assert_eq!(alarm["Metrics"][0]["MetricStat"]["Metric"]["Dimensions"][0]["Value"], "7");
    let (_, body) = form(&bed, "Action=DescribeAlarms&AlarmNames.member.1=a&MaxRecords=1");
    for part in [
        "<Threshold>40.5</Threshold>",
        "<OKActions><member>arn:aws:sns:eu-west-1:123456789012:ops</member></OKActions>",
        "<StateUpdatedTimestamp>20",
    ] {
        assert!(body.contains(part), "{part}: {body}");
    }
    let (head, body) = form(&bed, "Action=PutMetricAlarm&AlarmName=b&EvaluationPeriods=two");
    assert!(head.starts_with("http/1.1 400 ") && body.contains("<ErrorResponse xmlns="), "{head}{body}");
    form(&bed, "Action=DeleteAlarms&AlarmNames.member.1=a");
    assert!(bed.alarm("a").is_null());
}
