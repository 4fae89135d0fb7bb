//! Metric data: what is put comes back by period, and what is refused.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::bed::{Bed, names};

/// Now, in seconds since 1970.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a time").as_secs_f64()
}

/// A query of a statistic of `Shop` `Orders`.
fn query(id: &str, stat: &str) -> Value {
    let metric = json!({ "Namespace": "Shop", "MetricName": "Orders" });
    json!({ "Id": id, "MetricStat": { "Metric": metric, "Period": 60, "Stat": stat } })
}

/// The start of a period of 60 AWS seconds, so many periods ago.
fn period_start(bed: &Bed, ago: f64) -> f64 {
    let length = bed.0.world(|world| world.pace.seconds(60)).as_secs_f64();
    ((now() / length).floor() - ago) * length
}

#[test]
fn data_comes_back_by_period() {
    let bed = Bed::start();
    let (old, new) = (period_start(&bed, 3.0), period_start(&bed, 1.0));
    let data = json!([
        { "MetricName": "Orders", "Timestamp": old + 0.1, "Values": [1, 3], "Counts": [2, 1], "Unit": "Count" },
        { "MetricName": "Orders", "Timestamp": old + 0.5, "Value": 5, "Unit": "Count" },
        { "MetricName": "Orders", "Timestamp": new + 0.1, "Unit": "Count",
          "StatisticValues": { "SampleCount": 4, "Sum": 40, "Minimum": 1, "Maximum": 30 } },
    ]);
    bed.ok("PutMetricData", json!({ "Namespace": "Shop", "MetricData": data }));
    let queries = json!([
        query("sum", "Sum"), query("n", "SampleCount"), query("max", "Maximum"), query("p", "p50"),
        { "Id": "mean", "Expression": "sum / n", "Label": "Mean" },
    ]);
    let input = json!({ "MetricDataQueries": queries, "StartTime": old - 10.0, "EndTime": now() + 1.0 });
    let answer = bed.ok("GetMetricData", input.clone());
    let values: Vec<&Value> =
        answer["MetricDataResults"].as_array().expect("a list").iter().map(|one| &one["Values"]).collect();
    let lists =
        [json!([40.0, 10.0]), json!([4.0, 4.0]), json!([30.0, 5.0]), json!([1.0]), json!([10.0, 2.5])];
    assert_eq!(values, lists.iter().collect::<Vec<_>>(), "newest first");
    assert_eq!(
        names(&answer["MetricDataResults"], "Label"),
        ["Orders", "Orders", "Orders", "Orders", "Mean"]
    );
    let times = &answer["MetricDataResults"][0]["Timestamps"];
    for (time, start) in [(&times[0], new), (&times[1], old)] {
        assert!((time.as_f64().expect("a time") - start).abs() < 0.01, "{times}");
    }
    let mut ascending = input;
    ascending["ScanBy"] = json!("TimestampAscending");
    assert_eq!(bed.ok("GetMetricData", ascending)["MetricDataResults"][0]["Values"], json!([10.0, 40.0]));
    let input = json!({
        "Namespace": "Shop", "MetricName": "Orders", "StartTime": old, "EndTime": now() + 1.0, "Period": 60,
        "Statistics": ["Sum", "Average"],
    });
    let answer = bed.ok("GetMetricStatistics", input);
    let points = answer["Datapoints"].as_array().expect("a list");
    assert_eq!((points.len(), &points[0]["Average"], &points[1]["Sum"]), (2, &json!(2.5), &json!(40.0)));
    assert_eq!(points[0]["Unit"], "Count");
}

#[test]
fn data_comes_in_pages_and_says_what_is_partial() {
    let bed = Bed::start();
    let start = period_start(&bed, 4.0);
    let length = bed.0.world(|world| world.pace.seconds(60)).as_secs_f64();
    let datum = |ago: i32| json!({ "MetricName": "Orders", "Timestamp": start + f64::from(ago) * length + 0.1, "Value": ago });
    bed.ok("PutMetricData", json!({ "Namespace": "Shop", "MetricData": [datum(0), datum(1), datum(2)] }));
    let queries = json!([query("sum", "Sum"), query("n", "SampleCount")]);
    let mut input = json!({
        "MetricDataQueries": queries, "StartTime": start - 1.0, "EndTime": now() + 1.0, "MaxDatapoints": 2,
    });
    let mut pages = Vec::new();
    loop {
        let answer = bed.ok("GetMetricData", input.clone());
        let results = answer["MetricDataResults"].as_array().expect("results").clone();
        let one = |result: &Value| format!("{} {} {}", result["Id"], result["Values"], result["StatusCode"]);
        pages.push(results.iter().map(one).collect::<Vec<_>>().join(", ").replace('"', ""));
        let Some(token) = answer["NextToken"].as_str() else { break };
        input["NextToken"] = json!(token);
    }
    assert_eq!(
        pages,
        ["sum [2.0,1.0] PartialData", "sum [0.0] Complete, n [1.0] PartialData", "n [1.0,1.0] Complete"]
    );
}

#[test]
fn metrics_are_listed_by_name_and_dimension() {
    let bed = Bed::start();
    let dimension = |value: &str| json!([{ "Name": "Shop", "Value": value }]);
    let data = json!([
        { "MetricName": "Orders", "Value": 1 },
        { "MetricName": "Orders", "Value": 1, "Dimensions": dimension("1") },
        { "MetricName": "Refunds", "Value": 1, "Dimensions": dimension("2") },
    ]);
    bed.ok("PutMetricData", json!({ "Namespace": "Shop", "MetricData": data }));
    let list = |input: Value| names(&bed.ok("ListMetrics", input)["Metrics"], "MetricName");
    assert_eq!(list(json!({ "Namespace": "Shop" })), ["Orders", "Orders", "Refunds"]);
    assert_eq!(list(json!({ "MetricName": "Refunds" })), ["Refunds"]);
    assert_eq!(list(json!({ "Dimensions": [{ "Name": "Shop" }] })), ["Orders", "Refunds"]);
    assert_eq!(list(json!({ "Dimensions": dimension("2") })), ["Refunds"]);
    assert_eq!(list(json!({ "Namespace": "Other" })), [""; 0]);
    bed.0.world(|world| world.cloudwatch.page_limit = Some(2));
    let first = bed.ok("ListMetrics", json!({}));
    let rest = bed.ok("ListMetrics", json!({ "NextToken": first["NextToken"] }));
    assert_eq!(names(&rest["Metrics"], "MetricName"), ["Refunds"]);
}

#[test]
fn bad_data_is_refused() {
    let bed = Bed::start();
    let put =
        |data: Value| bed.refused("PutMetricData", json!({ "Namespace": "Shop", "MetricData": [data] }));
    for (datum, code) in [
        (json!({ "Value": 1 }), "ValidationError: "),
        (json!({ "MetricName": "a" }), "MissingParameter: "),
        (json!({ "MetricName": "a", "Value": 1, "Values": [1] }), "InvalidParameterCombination: "),
        (json!({ "MetricName": "a", "Values": [1], "Counts": [1, 2] }), "InvalidParameterCombination: "),
        (json!({ "MetricName": "a", "StatisticValues": { "Sum": 1 } }), "MissingParameter: "),
        (json!({ "MetricName": "a", "Value": 1, "Timestamp": 1.0 }), "InvalidParameterValue: "),
        (json!({ "MetricName": "a", "Value": "1" }), "SerializationException: "),
    ] {
        let said = put(datum.clone());
        assert!(said.starts_with(code), "{datum}: {said}");
    }
    let said = bed.refused("PutMetricData", json!({ "Namespace": "Shop" }));
    assert!(said.starts_with("MissingParameter: "), "{said}");
    assert_eq!(bed.ok("ListMetrics", json!({ "Namespace": "Shop" }))["Metrics"], json!([]), "all or nothing");
}

#[test]
fn bad_questions_are_refused() {
    let bed = Bed::start();
    let statistics = |more: Value| {
        let mut input = json!({ "Namespace": "Shop", "MetricName": "Orders", "StartTime": 0.0, "EndTime": 600.0, "Period": 60, "Statistics": ["Sum"] });
        input.as_object_mut().expect("fields").extend(more.as_object().cloned().expect("fields"));
        bed.refused("GetMetricStatistics", input)
    };
    for (more, words) in [
        (json!({ "Statistics": [] }), "MissingParameter: "),
        (json!({ "Statistics": ["p90"] }), "InvalidParameterValue: "),
        (json!({ "Period": 7 }), "ValidationError: "),
        (
            json!({ "EndTime": 86_460.0 }),
            "InvalidParameterCombination: You have requested up to 1441 datapoints",
        ),
        (json!({ "StartTime": 600.0 }), "ValidationError: The parameter StartTime must be less"),
        (json!({ "MetricName": null }), "ValidationError: "),
    ] {
        let said = statistics(more.clone());
        assert!(said.starts_with(words), "{more}: {said}");
    }
    let data = |queries: Value| {
        bed.refused(
            "GetMetricData",
            json!({ "MetricDataQueries": queries, "StartTime": 0.0, "EndTime": 60.0 }),
        )
    };
    for (queries, words) in [
        (json!([]), "must have a size between 1 and 500"),
        (json!([query("M", "Sum")]), "must start with a lowercase letter"),
        (json!([query("m", "Sum"), query("m", "Sum")]), "The id m is not unique"),
        (json!([query("m", "Mean")]), "The statistic Mean is not supported"),
        (json!([{ "Id": "m" }]), "must have either MetricStat or Expression"),
    ] {
        let said = data(queries.clone());
        assert!(said.contains(words), "{queries}: {said}");
    }
}
