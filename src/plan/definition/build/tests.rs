use proptest::prelude::*;

use super::*;
use crate::plan::definition::model;

fn base() -> Content {
    Content::from_described(json!({"family": "shop", "newField": [1], "containerDefinitions": [
        {"name": "web", "image": "web:v1",
         "environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
         "secrets": [{"name": "S", "valueFrom": "arn:s"}]},
        {"name": "envoy", "image": "envoy:1"},
    ]}))
    .unwrap()
}

fn variable(container: &str, name: &str, value: Option<&str>) -> Variable {
    ((!container.is_empty()).then(|| container.to_owned()), name.to_owned(), value.map(str::to_owned))
}

/// The container after the changes, as JSON text.
fn built(container: &str, changes: &Changes) -> String {
    let content = build_content(base(), changes).unwrap_or_else(|problems| panic!("{problems:?}"));
    serde_json::to_string(content.container(container).unwrap()).unwrap()
}

fn told(changes: &Changes) -> Vec<String> {
    build_content(base(), changes).unwrap_err().iter().map(Problem::to_string).collect()
}

#[test]
fn images_are_set_per_container() {
    let changes = Changes {
        images: vec![(None, "web:v2".into()), (Some("envoy".into()), "envoy:2".into())],
        load_balanced_container: Some("web".into()),
        ..Changes::default()
    };
    assert!(built("web", &changes).contains(r#""image":"web:v2""#));
    assert_eq!(built("envoy", &changes), r#"{"name":"envoy","image":"envoy:2"}"#);
    assert_eq!(build_content(base(), &changes).unwrap().object()["newField"], json!([1]));
}

#[test]
fn variables_merge_by_name_and_keep_their_place() {
    let changes = Changes {
        environment: vec![
            variable("web", "A", Some("9")),
            variable("web", "C", Some("")),
            variable("web", "B", None),
        ],
        secrets: vec![variable("envoy", "T", Some("arn:t")), variable("envoy", "absent", None)],
        ..Changes::default()
    };
    assert_eq!(
        built("web", &changes),
        r#"{"name":"web","image":"web:v1","environment":[{"name":"A","value":"9"},{"name":"C","value":""}],"secrets":[{"name":"S","valueFrom":"arn:s"}]}"#
    );
    assert_eq!(
        built("envoy", &changes),
        r#"{"name":"envoy","image":"envoy:1","secrets":[{"name":"T","valueFrom":"arn:t"}]}"#
    );
}

#[test]
fn a_variable_that_is_given_twice_is_there_once_after_it_was_set() {
    let twice = json!({"family": "f", "containerDefinitions": [{"name": "web", "environment": [
        {"name": "A", "value": "1"}, {"name": "B", "value": "2"}, {"name": "A", "value": "3"},
    ]}]});
    let changes = Changes { environment: vec![variable("web", "A", Some("9"))], ..Changes::default() };
    let content = build_content(Content::from_described(twice).unwrap(), &changes).unwrap();
    assert_eq!(
        serde_json::to_string(content.container("web").unwrap()).unwrap(),
        r#"{"name":"web","environment":[{"name":"A","value":"9"},{"name":"B","value":"2"}]}"#
    );
}

#[test]
fn a_name_set_in_one_list_leaves_the_other() {
    let changes = Changes {
        environment: vec![variable("web", "S", Some("open"))],
        secrets: vec![variable("web", "A", Some("arn:a"))],
        ..Changes::default()
    };
    assert_eq!(
        built("web", &changes),
        r#"{"name":"web","image":"web:v1","environment":[{"name":"B","value":"2"},{"name":"S","value":"open"}],"secrets":[{"name":"A","valueFrom":"arn:a"}]}"#
    );
}

#[test]
fn a_removal_in_one_list_and_a_value_in_the_other_is_a_move() {
    let changes = Changes {
        environment: vec![variable("web", "A", None)],
        secrets: vec![variable("web", "A", Some("arn:a"))],
        ..Changes::default()
    };
    assert!(built("web", &changes).contains(r#"{"name":"A","valueFrom":"arn:a"}"#));
}

#[test]
fn all_problems_are_told_at_once() {
    let changes = Changes {
        images: vec![
            (None, "web:v2".into()),
            (Some("wbe".into()), "x".into()),
            (Some("envoy".into()), "x".into()),
            (Some("envoy".into()), "y".into()),
        ],
        environment: vec![
            variable("web", "A", Some("hunter2")),
            variable("web", "A", Some("hunter2")),
            variable("database", "A", Some("hunter2")),
        ],
        secrets: vec![variable("web", "A", Some("hunter2"))],
        load_balanced_container: None,
    };
    let told = told(&changes);
    assert_eq!(
        told,
        [
            "input image: no container is named, and the task definition has several: `web`, `envoy`; name the one you mean",
            "input image: the task definition has no container `wbe`, it has `web`, `envoy`; did you mean `web`?",
            "input image: the container `envoy` is given two images",
            "input environment: `A` is given twice for the container `web`",
            "input environment: the task definition has no container `database`, it has `web`, `envoy`",
            "input secrets: `A` of the container `web` is in the input environment, too",
        ]
    );
    assert!(!told.join("").contains("hunter2"), "invariant 32");
}

#[test]
fn the_load_balancer_s_container_must_be_there_when_it_is_meant() {
    let changes = Changes {
        images: vec![(None, "web:v2".into())],
        load_balanced_container: Some("app".into()),
        ..Changes::default()
    };
    assert_eq!(
        told(&changes),
        ["input image: no container is named, so the load balancer's is meant, \
          but the task definition has no container `app`, it has `web`, `envoy`"]
    );
}

#[test]
fn a_single_container_is_the_one_that_is_meant() {
    let one = json!({"family": "f", "containerDefinitions": [{"name": "only", "environment": null}]});
    let changes = Changes {
        images: vec![(None, "web:v2".into())],
        environment: vec![variable("", "A", Some("1"))],
        ..Changes::default()
    };
    let content = build_content(Content::from_described(one).unwrap(), &changes).unwrap();
    assert_eq!(
        serde_json::to_string(content.container("only").unwrap()).unwrap(),
        r#"{"name":"only","environment":[{"name":"A","value":"1"}],"image":"web:v2"}"#
    );
    let none = Content::from_described(json!({"family": "f"})).unwrap();
    let problems = build_content(none, &changes).unwrap_err();
    assert_eq!(problems[0].to_string(), "input image: the task definition has no container");
}

#[test]
fn tags_replace_their_like_and_never_hinder_a_deployment() {
    let mut content = Content::from_described(
        json!({"tags": [{"key": "commit", "value": "a"}, {"key": "team", "value": "x"}]}),
    )
    .unwrap();
    add_tags(&mut content, &[("commit", "b".to_owned()), ("branch", "fix/#12, ünë\n".to_owned())]);
    assert_eq!(
        content.object()["tags"],
        json!([{"key": "commit", "value": "b"}, {"key": "team", "value": "x"}, {"key": "branch", "value": "fix/_12_ ünë_"}])
    );
    add_tags(&mut content, &[("branch", "x".repeat(300).to_owned())]);
    assert_eq!(content.object()["tags"][2]["value"].as_str().unwrap().len(), 256);
    let mut content = Content::from_described(json!({"family": "shop", "tags": []})).unwrap();
    add_tags(&mut content, &[]);
    assert_eq!(content.object().get("tags"), None, "AWS refuses an empty list");
    let full: Vec<Value> = (0..50).map(|i| json!({"key": i.to_string(), "value": ""})).collect();
    let mut content = Content::from_described(json!({"tags": full})).unwrap();
    add_tags(&mut content, &[("commit", "b".to_owned())]);
    assert_eq!(content.object()["tags"].as_array().unwrap().len(), 50);
}

proptest! {
    #[test]
    fn without_changes_nothing_changes(value in prop_oneof![model::definition(), model::any_json()]) {
        if let Ok(content) = Content::from_described(value) {
            let text = serde_json::to_string(content.object()).unwrap();
            let built = build_content(content, &Changes::default()).unwrap();
            prop_assert_eq!(serde_json::to_string(built.object()).unwrap(), text);
        }
    }

    #[test]
    fn the_same_changes_twice_are_as_once(value in model::definition(), name in "[A-D]", set in any::<bool>()) {
        let changes = Changes {
            images: vec![(Some("c0".into()), "web:v2".into())],
            environment: vec![variable("c0", &name, set.then_some("x"))],
            secrets: vec![variable("c0", "E", Some("arn:e"))],
            ..Changes::default()
        };
        let once = build_content(Content::from_described(value).unwrap(), &changes).unwrap();
        let twice = build_content(once.clone(), &changes).unwrap();
        prop_assert!(once == twice);
    }

    #[test]
    fn no_json_makes_it_panic(value in model::any_json()) {
        if let Ok(mut content) = Content::from_described(value) {
            add_tags(&mut content, &[("commit", "b".to_owned())]);
            let changes = Changes { environment: vec![variable("", "A", Some("1"))], ..Changes::default() };
            let _ = build_content(content, &changes);
        }
    }
}
