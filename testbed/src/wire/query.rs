//! AWS's Query protocol: form bodies in, XML out (Elastic Load Balancing v2, STS, CloudWatch's alarms).

use serde_json::{Map, Value};

/// The tree of a form body: `A.member.1.B=x` becomes `{"A":[{"B":"x"}]}`. Every leaf is a string. An empty
/// list, which clients send as `A=`, is an empty string. A map, `A.entry.1.key=x&A.entry.1.value=y`, is a
/// list under the name `entry`.
pub fn decode(body: &[u8]) -> Value {
    let mut root = Value::Object(Map::new());
    for (name, text) in url::form_urlencoded::parse(body) {
        *slot(&mut root, &name) = Value::String(text.into_owned());
    }
    root
}

/// The place in the tree for a dotted name, created if missing.
fn slot<'a>(root: &'a mut Value, name: &str) -> &'a mut Value {
    let mut at = root;
    let mut parts = name.split('.');
    while let Some(part) = parts.next() {
        if part == "member" {
            at = element(at, parts.next().and_then(|number| number.parse().ok()).unwrap_or(1));
        } else {
            at = field(at, part);
            if part == "entry" {
                at = element(at, parts.next().and_then(|number| number.parse().ok()).unwrap_or(1));
            }
        }
    }
    at
}

/// The field of an object; any other existing value becomes an object.
fn field<'a>(at: &'a mut Value, name: &str) -> &'a mut Value {
    if !at.is_object() {
        *at = Value::Object(Map::new());
    }
    &mut at[name]
}

/// The element of a list, counted from 1. Holes are null; a number above AWS's limits is the last place.
fn element(at: &mut Value, number: usize) -> &mut Value {
    if !at.is_array() {
        *at = Value::Array(Vec::new());
    }
    let index = number.clamp(1, 10_000) - 1;
    if let Value::Array(list) = at
        && list.len() <= index
    {
        list.resize(index + 1, Value::Null);
    }
    &mut at[index]
}

/// The whole answer of an operation. `xmlns` is the service's XML namespace.
pub fn encode(action: &str, output: &Value, request_id: &str, xmlns: &str) -> String {
    let mut body = String::new();
    xml(output, &mut body);
    format!(
        "<{action}Response xmlns=\"{xmlns}\"><{action}Result>{body}</{action}Result>\
         <ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{action}Response>"
    )
}

/// The whole answer of an operation whose model has no output: it has no result element either.
pub fn encode_nothing(action: &str, request_id: &str, xmlns: &str) -> String {
    format!(
        "<{action}Response xmlns=\"{xmlns}\"><ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>\
         </{action}Response>"
    )
}

/// Appends a value as XML: fields by name, lists as `member`, maps as several `entry`, nothing for null.
fn xml(value: &Value, out: &mut String) {
    match value {
        Value::Null => {}
        Value::Object(fields) => {
            for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
                match value {
                    Value::Array(entries) if name == "entry" => {
                        entries.iter().for_each(|entry| tag(name, entry, out))
                    }
                    value => tag(name, value, out),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| tag("member", value, out)),
        Value::String(text) => out.push_str(&escape(text)),
        Value::Bool(flag) => out.push_str(&flag.to_string()),
        Value::Number(number) => out.push_str(&number.to_string()),
    }
}

/// Appends a value between its tags.
fn tag(name: &str, value: &Value, out: &mut String) {
    out.push_str(&format!("<{name}>"));
    xml(value, out);
    out.push_str(&format!("</{name}>"));
}

/// Text as XML character data. Control characters that XML 1.0 cannot hold are left out.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\r' => out.push_str("&#13;"),
            '\n' | '\t' => out.push(character),
            control if control < ' ' => {}
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_form_becomes_a_tree() {
        let body = b"Action=ModifyListener&Version=2015-12-01&DefaultActions.member.1.ForwardConfig.TargetGroups.member.2.Weight=20\
            &DefaultActions.member.1.ForwardConfig.TargetGroups.member.1.Weight=80&Names=&Text=a%26b+c";
        assert_eq!(
            decode(body),
            json!({"Action": "ModifyListener", "Version": "2015-12-01",
                "DefaultActions": [{"ForwardConfig": {"TargetGroups": [{"Weight": "80"}, {"Weight": "20"}]}}],
                "Names": "", "Text": "a&b c"})
        );
    }

    #[test]
    fn an_absurd_list_number_takes_little_memory() {
        let tree = decode(b"A.member.99999999999=x&B.member.x=y");
        assert_eq!(tree["A"].as_array().map(Vec::len), Some(10_000));
        assert_eq!(tree["B"], json!(["y"]));
    }

    #[test]
    fn a_map_comes_and_goes_as_entries() {
        let tree = decode(b"P.entry.1.key=a&P.entry.1.value=1&P.entry.2.key=b&P.entry.2.value=2");
        assert_eq!(tree, json!({"P": {"entry": [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]}}));
        let mut out = String::new();
        xml(&tree, &mut out);
        let expected =
            "<P><entry><key>a</key><value>1</value></entry><entry><key>b</key><value>2</value></entry></P>";
        assert_eq!(out, expected);
    }

    #[test]
    fn an_answer_is_xml_with_members_and_escapes() {
        let text = encode(
            "DescribeThings",
            &json!({"Things": [{"Name": "a<b&\"", "Port": 80, "On": true, "No": null}]}),
            "r1",
            "urn:x",
        );
        assert_eq!(
            text,
            "<DescribeThingsResponse xmlns=\"urn:x\"><DescribeThingsResult><Things><member><Name>a&lt;b&amp;&quot;</Name><Port>80</Port>\
             <On>true</On></member></Things></DescribeThingsResult><ResponseMetadata><RequestId>r1</RequestId></ResponseMetadata></DescribeThingsResponse>"
        );
    }
}
