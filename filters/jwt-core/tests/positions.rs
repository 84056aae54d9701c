//! A configuration is written with names: a list in place of an object would be read by position.

mod common;

use common::config;
use jwt_core::config::Config;
use rstest::rstest;
use serde_json::{Value, json};

#[rstest]
#[case("/limits", json!([256, null, null, null, null]))]
#[case("/rules", json!([[{"path": {"prefix": "/"}}, false, false, null, null, null, null, false]]))]
#[case("/rules/0/match", json!([null, null, {"exact": "/a"}]))]
#[case("/rules/0/match/path", json!(["/a", null, null]))]
#[case("/tokenPlaces", json!([["x-token", null, null, null]]))]
#[case("/providers/0/subjects", json!([["alice"]]))]
#[case("/providers/0/requiredClaims", json!([["a", null, null, null]]))]
#[case("/providers/0/jwks", json!([null, {"cluster": "a", "authority": "a", "path": "/"}, null]))]
#[case("/providers/0/revocations", json!(["a", "a", "/r", null, null, null, "refuse"]))]
fn a_list_is_no_object(#[case] pointer: &str, #[case] value: Value) {
    let mut document = config();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    document.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert(name.to_owned(), value);
    assert!(Config::from_json(document.to_string().as_bytes()).is_err());
}
