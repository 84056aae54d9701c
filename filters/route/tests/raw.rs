//! Which matches of a configuration are refused.

use route::PathPattern;
use route::raw::Path;
use rstest::rstest;

fn check(field: &str, text: &str) -> Result<PathPattern, String> {
    let mut path = Path { exact: None, prefix: None, template: None };
    let place = match field {
        "exact" => &mut path.exact,
        "prefix" => &mut path.prefix,
        _ => &mut path.template,
    };
    *place = Some(text.to_owned());
    path.check("path").map_err(|error| error.to_string())
}

#[rstest]
#[case("/pay/*")]
#[case("/pay*")]
#[case("/*/pay")]
#[case("/pay/**")]
#[case("/pay/:id")]
#[case("/:id")]
#[case("/pay/:")]
#[case("/pay/:id/lines")]
#[case("/pay/{*rest}")]
#[case("/pay/{rest...}")]
fn wildcards_of_other_systems(#[case] text: &str) {
    for field in ["exact", "prefix", "template"] {
        let error = check(field, text).unwrap_err();
        assert!(error.contains(field), "{error}");
        assert!(error.contains("write {name} in a template"), "{error}");
        assert!(error.contains("prefix (without *)"), "{error}");
    }
}

#[rstest]
#[case("/payments:capture")]
#[case("/a:b/c:")]
#[case("/pay")]
fn literals(#[case] text: &str) {
    assert_eq!(check("exact", text), Ok(PathPattern::Exact(text.to_owned())));
    assert_eq!(check("prefix", text), Ok(PathPattern::Prefix(text.to_owned())));
    assert_eq!(check("template", text), Ok(PathPattern::Exact(text.to_owned())));
}

#[rstest]
#[case("/pay/{id}")]
#[case("/pay/{id}:capture/x")]
fn exact_takes_no_name(#[case] text: &str) {
    assert!(check("exact", text).unwrap_err().contains("must be a path in normal form"));
}
