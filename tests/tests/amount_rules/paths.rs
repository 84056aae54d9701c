//! A guarded path has one spelling; what a lenient server could read as it is refused.

use anyhow::Result;
use serde_json::json;
use tests::amount::{
    Case, ORDER, Tools, WAYS, assert_told, faults, judge_both_ways, malformed, order, order_rule, plain,
    rules,
};
use tests::post::Post;

/// What no rule lets through.
fn bad_order() -> String {
    order(&[(r#""totalAmount":100"#, r#""totalAmount":-100"#)])
}

#[tokio::test]
async fn the_path_itself_is_guarded_in_all_its_forms() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let refused = "422 invalid-amount: negative /totalAmount";
    let mut cases = Vec::new();
    for target in [
        "/order/create",
        "/order/create?",
        "/order/create?x=1",
        "/order/create?a=/../b",
        "http://finpay.example/order/create",
        "http://other.example/order/create?x",
    ] {
        cases.push(Case::new(target, Post::json(target, ORDER), "200"));
        cases.push(Case::new(target, Post::json(target, bad_order()), refused));
    }
    judge_both_ways(&tools, &rules(&[order_rule()]), &cases).await
}

#[tokio::test]
async fn another_spelling_of_it_is_refused_with_any_body() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let mut cases = Vec::new();
    for target in [
        "/order//create",
        "//order/create",
        "/order/create/",
        "/order/create//",
        "/ORDER/create",
        "/Order/Create",
        "/order/./create",
        "/./order/create",
        "/order/create/.",
        "/x/../order/create",
        "/order/x/../create",
        "/order/create/x/..",
        "/../order/create",
        "/order/%63reate",
        "/%6frder/create",
        "/order%2Fcreate",
        "/order%2fcreate",
        "/order/%2563reate",
        "/order/%252563reate",
        "/order%252Fcreate",
        "/order/%2e/create",
        "/x/%2e%2e/order/create",
        "/order\\create",
        "/order%5Ccreate",
        "/order/create;x=1",
        "/order/create;",
        "/order;x=1/create",
        "/order/create%3Bx=1",
        "/;/order/create",
        "/order/create;/",
        "/ORDER/%63reate/;x/..",
        "/ORDER//./create;a=1;b=2?x=1",
        "http://finpay.example/order//create",
        "http://finpay.example/ORDER/create",
    ] {
        for body in [ORDER.to_owned(), bad_order(), String::new()] {
            let name = format!("{target} with {} bytes", body.len());
            cases.push(Case::new(name, Post::json(target, body), malformed("path")));
        }
    }
    judge_both_ways(&tools, &rules(&[order_rule()]), &cases).await
}

#[tokio::test]
async fn a_method_in_another_case_is_no_way_around() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let mut wrong = Vec::new();
    for way in WAYS {
        let stand = tools.start_with(&rules(&[order_rule()]), way, plain()).await?;
        for method in ["post", "Post", "pOST"] {
            let post = Post::json("/order/create", bad_order()).by(method);
            // Envoy's own parser of HTTP/1.1 takes none of these.
            let reply = stand.send(&post).await?;
            wrong.extend((reply.status != 400).then(|| format!("{method}, {way:?}: {}", reply.verdict())));
            let reply = stand.send_by(2, &post).await?;
            let faults = faults(&reply, &malformed("path"));
            wrong.extend(faults.into_iter().map(|fault| format!("{method}, HTTP/2, {way:?}: {fault}")));
        }
        assert_eq!(stand.upstream.seen().arrived, 0);
        stand.is_sound().await?;
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    Ok(())
}

#[tokio::test]
async fn other_routes_take_any_body() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let mut cases = Vec::new();
    for target in [
        "/",
        "/order",
        "/order/creat",
        "/order/created",
        "/order/create/1",
        "/orders/create",
        "/x/order/create",
        "/order/create.json",
        "/order/cre%61",
        "/?/order/create",
        "/x?y=/order//create",
    ] {
        cases.push(Case::new(target, Post::json(target, "no JSON \u{0}"), "200"));
    }
    for method in ["PUT", "PATCH", "DELETE", "GET", "OPTIONS"] {
        cases.push(Case::new(method, Post::json("/order/create", "no JSON").by(method), "200"));
    }
    judge_both_ways(&tools, &rules(&[order_rule()]), &cases).await
}

#[tokio::test]
async fn hosts_prefixes_and_templates_are_guarded_too() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let rule = |name: &str, matches: serde_json::Value| {
        let mut rule = order_rule();
        rule["name"] = name.into();
        rule["match"] = matches;
        rule
    };
    let configuration = rules(&[
        rule("prefix", json!({"methods": ["POST", "PUT"], "path": {"prefix": "/pay"}})),
        rule("template", json!({"methods": ["POST"], "path": {"template": "/orders/{id}/capture"}})),
        rule("host", json!({"hosts": ["money.example"], "methods": ["POST"], "path": {"prefix": "/"}})),
    ]);
    let refused = "422 invalid-amount: negative /totalAmount";
    let bad = |target: &str| Post::json(target, bad_order());
    let mut cases = Vec::new();
    for target in ["/pay", "/pay/", "/pay/x/y", "/orders/7/capture", "/orders/a.b-c~d/capture?x"] {
        cases.push(Case::new(target, bad(target), refused));
    }
    cases.push(Case::new("another method", bad("/pay/x").by("PUT"), refused));
    for target in [
        "/PAY/x",
        "/x/../pay/x",
        "/pay//x",
        "/pay/x/../y",
        "/orders/7//capture",
        "/ORDERS/7/capture",
        "/orders/7/Capture/",
    ] {
        cases.push(Case::new(target, bad(target), malformed("path")));
    }
    for target in ["/payments", "/orders/capture", "/orders/7/8/capture"] {
        cases.push(Case::new(target, bad(target), "200"));
    }
    for host in ["money.example", "MONEY.example", "money.example:8080", "money.example."] {
        let expected = if host.ends_with('.') { malformed("path") } else { refused.to_owned() };
        cases.push(Case::new(host, bad("/any").with("host", host), expected));
    }
    cases.push(Case::new("another host", bad("/any").with("host", "money.example.org"), "200"));
    judge_both_ways(&tools, &configuration, &cases).await
}

#[tokio::test]
async fn a_refused_path_is_not_repeated() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let stand = tools.start(&rules(&[order_rule()]), WAYS[0]).await?;
    let reply = stand.send(&Post::json("/order//create;card=4111111111111111", ORDER)).await?;
    assert_told(&reply, &malformed("path"), "");
    assert!(!reply.mentions("4111"), "{reply:?}");
    Ok(())
}
