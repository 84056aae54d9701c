//! What is JSON, and read one way only.

use anyhow::Result;
use serde_json::json;
use tests::amount::{Case, ORDER, ORDERS, Tools, judge_both_ways, malformed, order, order_rule, rules};
use tests::post::{Framing, Post};

use super::order_case;

const TOTAL: &str = r#""totalAmount":100"#;

/// A body as it is.
fn body(name: &str, body: impl Into<Vec<u8>>, expected: &str) -> Case {
    Case::new(name, Post::json(ORDERS, body), expected)
}

#[tokio::test]
async fn no_key_comes_twice() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let twice = malformed("duplicate_key");
    let members = |count: usize, last: &str| {
        let members: Vec<_> = (0..count).map(|number| format!(r#""k{number}":1"#)).collect();
        format!(r#"{TOTAL},"metadata":{{{},{last}:1}}"#, members.join(","))
    };
    let mut rule = order_rule();
    if let Some(fields) = rule["fields"].as_array_mut() {
        fields.push(json!("/metadata/**"));
    }
    let cases = [
        order_case("the same", &[(TOTAL, r#""totalAmount":100,"totalAmount":100"#)], &twice),
        order_case("escaped first", &[(TOTAL, r#""\u0074otalAmount":1,"totalAmount":100"#)], &twice),
        order_case("escaped last", &[(TOTAL, r#""totalAmount":100,"total\u0041mount":1"#)], &twice),
        order_case(
            "in an item",
            &[(r#""price":100"#, r#""price":100,"pric\u0065":1"#)],
            "400 malformed-body: duplicate_key /items/0",
        ),
        order_case("of an unknown name", &[(TOTAL, r#""totalAmount":100,"tip":1,"tip":2"#)], &twice),
        order_case("in a depth nobody asks for", &[(TOTAL, &members(1, "\"k0\""))], &twice),
        order_case("among many", &[(TOTAL, &members(500, "\"k77\""))], &twice),
        order_case("among many, escaped", &[(TOTAL, &members(500, r#""\u006b77""#))], &twice),
        order_case("none among many", &[(TOTAL, &members(500, "\"x\""))], "200"),
        order_case(
            "another case is another key",
            &[(TOTAL, r#""totalAmount":100,"TotalAmount":1"#)],
            "422 invalid-amount: unknown_field /TotalAmount",
        ),
        order_case("escaped, once", &[(TOTAL, r#""\u0074otal\u0041mount":100"#)], "200"),
    ];
    judge_both_ways(&tools, &rules(&[rule]), &cases).await
}

#[tokio::test]
async fn a_body_is_one_json_text_in_utf_8() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let user = |bytes: &[u8]| {
        let (before, after) = ORDER.split_once("\"u\"").unwrap_or_default();
        [before.as_bytes(), b"\"", bytes, b"\"", after.as_bytes()].concat()
    };
    let utf16 = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    let surrogate = malformed("lone_surrogate");
    let syntax = malformed("syntax");
    let mut cases = vec![
        body("as it is", ORDER, "200"),
        body("blanks around it", format!(" \t\r\n{ORDER}\n "), "200"),
        body("a byte order mark", format!("\u{feff}{ORDER}"), &malformed("byte_order_mark")),
        body("UTF-16", utf16(ORDER), &syntax),
        body("UTF-16 with its mark", utf16(&format!("\u{feff}{ORDER}")), &malformed("not_utf8")),
        body("letters beyond ASCII", user("é€😀".as_bytes()), "200"),
        body("a pair of surrogates", user(br"\ud83d\ude00"), "200"),
        body("a lone high surrogate", user(br"\ud800"), &surrogate),
        body("a lone low surrogate", user(br"\udc00"), &surrogate),
        body("two high surrogates", user(br"\ud800\ud800"), &surrogate),
        body("surrogates in the wrong order", user(br"\udc00\ud800"), &surrogate),
        body("a surrogate before a letter", user(br"\ud800x"), &surrogate),
        body("a lone surrogate in a key", order(&[("\"userId\"", r#""user\ud800""#)]), &surrogate),
        body("a raw control character", user(b"\x01"), &syntax),
        body("a raw line end", user(b"\n"), &syntax),
        body("a raw NUL", user(b"\0"), &syntax),
        body("an unknown escape", user(br"\x41"), &syntax),
        body("a short escape", user(br"\u12"), &syntax),
        body("trailing data", format!("{ORDER}{{}}"), &malformed("trailing_data")),
        body("a trailing comma", format!("{ORDER},"), &malformed("trailing_data")),
        body("the order twice", format!("{ORDER}\n{ORDER}"), &malformed("trailing_data")),
        body("a trailing NUL", format!("{ORDER}\0"), &malformed("trailing_data")),
        body("blanks only", " \r\n\t", &malformed("empty_body")),
        body("half of it", &ORDER[..ORDER.len() / 2], &syntax),
        body("all but the last byte", &ORDER[..ORDER.len() - 1], &syntax),
        body("a comment", format!("/* order */{ORDER}"), &syntax),
        body("a prefix against hijacking", format!(")]}}',\n{ORDER}"), &syntax),
        body("no JSON at all", "userId=u&totalAmount=100", &syntax),
        body("single quotes", ORDER.replace('"', "'"), &syntax),
        body("a form feed between", ORDER.replacen(',', ",\u{c}", 1), &syntax),
        body("a no-break space between", ORDER.replacen(',', ",\u{a0}", 1), &syntax),
        order_case("a trailing comma inside", &[("\"credit_card\"", "\"credit_card\",")], &syntax),
        order_case("True", &[("\"credit_card\"", "True")], &syntax),
        order_case("undefined", &[("\"credit_card\"", "undefined")], &syntax),
    ];
    for bytes in [&b"\xff"[..], b"\xc0\xaf", b"\xe9", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xe2\x82"] {
        cases.push(body(&format!("{bytes:x?}"), user(bytes), &malformed("not_utf8")));
    }
    for text in ["[]", "null", "100", "\"order\"", "true", "[{}]"] {
        cases.push(body(text, text, "422 invalid-amount: not_an_object"));
    }
    judge_both_ways(&tools, &rules(&[order_rule()]), &cases).await
}

#[tokio::test]
async fn a_body_that_is_none_is_refused() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let empty = malformed("empty_body");
    let none = Post::json(ORDERS, "");
    let cases = [
        Case::new("neither body nor length", none.clone().framed(Framing::Own), &*empty),
        Case::new("a length of 0", none.clone(), &*empty),
        Case::new("no chunk but the last", none.clone().framed(Framing::Pieces(1)), &*empty),
        Case::new("nor a type", none.clone().content_type(""), "415 unsupported-media-type: content_type"),
    ];
    judge_both_ways(&tools, &rules(&[order_rule()]), &cases).await
}

#[tokio::test]
async fn depth_is_bounded() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let mut deep = order_rule();
    deep["fields"] = json!(["/userId", "/items/*/id", "/paymentMethod", "/metadata/**"]);
    let mut shallow = deep.clone();
    shallow["name"] = "shallow".into();
    shallow["match"]["path"]["exact"] = "/shallow".into();
    shallow["maxDepth"] = 4.into();
    let nested = |depth: usize| {
        let value = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        order(&[(TOTAL, &format!(r#"{TOTAL},"metadata":{value}"#))])
    };
    let too_deep = malformed("too_deep");
    let cases = [
        body("31 below the object", nested(31), "200"),
        body("32 below the object", nested(32), &too_deep),
        body("30,000 below the object", nested(30_000), &too_deep),
        body("30,000 and no end", "[".repeat(30_000), &too_deep),
        body("objects, 30,000 and no end", r#"{"a":"#.repeat(10_000), &too_deep),
        Case::new("a rule's own: 4", Post::json("/shallow", nested(3)), "200"),
        Case::new("a rule's own: 5", Post::json("/shallow", nested(4)), too_deep),
    ];
    judge_both_ways(&tools, &rules(&[deep, shallow]), &cases).await
}
