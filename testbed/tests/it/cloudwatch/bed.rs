//! A testbed, and the calls that the tests make on it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};
use testbed::cloudwatch::State;
use testbed::{Options, Service, Testbed, World};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A testbed without anything.
pub struct Bed(pub Testbed);

/// An HTTP answer.
pub struct Answer {
    /// Status line and headers, in lower case.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Bed {
    /// Starts it.
    pub fn start() -> Self {
        Self(Testbed::start(Options::default()).expect("a testbed"))
    }

    /// A call that works.
    pub fn ok(&self, operation: &str, input: Value) -> Value {
        let answer = self.0.call(Service::CloudWatch, operation, input);
        answer.unwrap_or_else(|error| panic!("{operation}: {}: {}", error.code, error.message))
    }

    /// A call that is refused: `CODE: message`.
    pub fn refused(&self, operation: &str, input: Value) -> String {
        match self.0.call(Service::CloudWatch, operation, input) {
            Ok(answer) => panic!("{operation} worked: {answer}"),
            Err(error) => format!("{}: {}", error.code, error.message),
        }
    }

    /// A signed request as AWS's clients send it; the answer is empty when the connection was cut.
    pub fn send(&self, path: &str, headers: &str, body: &[u8]) -> Answer {
        let address = self.0.endpoint().trim_start_matches("http://").to_owned();
        let mut stream = TcpStream::connect(address).expect("a connection");
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: aws\r\nconnection: close\r\ncontent-length: {length}\r\nauthorization: \
             AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20260101/eu-west-1/monitoring/aws4_request, SignedHeaders=host, \
             Signature=00\r\n{headers}\r\n"
        );
        stream.write_all(&[head.as_bytes(), body].concat()).expect("written");
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all);
        let end = all.windows(4).position(|window| window == b"\r\n\r\n").map_or(all.len(), |end| end + 4);
        let body = all.split_off(end);
        Answer { head: String::from_utf8(all).expect("a head").to_lowercase(), body }
    }

    /// An alarm as DescribeAlarms has it; null when it is not there.
    pub fn alarm(&self, name: &str) -> Value {
        let input = json!({ "AlarmNames": [name], "AlarmTypes": ["MetricAlarm", "CompositeAlarm"] });
        let answer = self.ok("DescribeAlarms", input);
        let all = [&answer["MetricAlarms"][0], &answer["CompositeAlarms"][0]];
        all.into_iter().find(|alarm| !alarm.is_null()).cloned().unwrap_or_default()
    }

    /// Waits until the world looks like this.
    pub fn wait(&self, what: &str, is: impl FnMut(&mut World) -> bool) {
        assert!(self.0.wait_until(PATIENCE, is), "never: {what}");
    }

    /// Waits until an alarm is in a state.
    pub fn wait_state(&self, name: &str, state: State) {
        self.wait(&format!("{name} is {state:?}"), |world| {
            world.cloudwatch.alarm(name).is_some_and(|alarm| alarm.state == state)
        });
    }

    /// The states that an alarm went through.
    pub fn path(&self, name: &str) -> Vec<State> {
        self.0.world(|world| {
            let changes = world.cloudwatch.history().iter().filter(|change| change.alarm == name);
            changes.map(|change| change.to).collect()
        })
    }

    /// Puts a value of `Shop` `Orders` at this moment.
    pub fn value(&self, value: f64) {
        let data = json!([{ "MetricName": "Orders", "Value": value }]);
        self.ok("PutMetricData", json!({ "Namespace": "Shop", "MetricData": data }));
    }
}

/// An alarm on `Shop` `Orders` above 5, with a period of 5 AWS seconds; fields of `more` come on top.
pub fn orders(name: &str, more: Value) -> Value {
    let mut alarm = json!({
        "AlarmName": name, "Namespace": "Shop", "MetricName": "Orders", "Statistic": "Average", "Period": 5,
        "EvaluationPeriods": 1, "Threshold": 5, "ComparisonOperator": "GreaterThanThreshold",
    });
    if let (Some(alarm), Value::Object(more)) = (alarm.as_object_mut(), more) {
        alarm.extend(more);
        alarm.retain(|_, value| !value.is_null());
    }
    alarm
}

/// The names in a list.
pub fn names(list: &Value, field: &str) -> Vec<String> {
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().map(|one| one[field].as_str().unwrap_or_default().to_owned()).collect()
}
