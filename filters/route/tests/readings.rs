//! Which requests a lenient server could take for guarded ones.

use route::{HostPattern, Match, PathPattern, Readings, normal_path};
use rstest::rstest;

fn guarded(path: PathPattern) -> Match {
    let hosts = vec![HostPattern::parse("api.example.com").unwrap()];
    Match { hosts, methods: vec!["POST".to_owned()], path }
}

fn might(path: PathPattern, target: &str) -> bool {
    let target = Readings::new(target.as_bytes());
    guarded(path).might_match(Some(b"api.example.com"), b"POST", &target)
}

#[rstest]
#[case::itself("/order/create")]
#[case::query("/order/create?a=/../b")]
#[case::case("/Order/CREATE")]
#[case::trailing_slash("/order/create/")]
#[case::escaped_letter("/order/%63reate")]
#[case::escaped_slash("/order%2fcreate")]
#[case::escaped_twice("/order/%2563reate")]
#[case::escaped_three_times("/order/%252563reate")]
#[case::escaped_query("/order/create%3Fa")]
#[case::escaped_fragment("/order/create%23a")]
#[case::fragment("/order/create#a")]
#[case::backslash("/order\\create")]
#[case::escaped_backslash("/order%5Ccreate")]
#[case::parameter("/order;a=b/create;c")]
#[case::doubled_slash("//order//create")]
#[case::dot("/./order/./create")]
#[case::dot_dot("/x/../order/create")]
#[case::escaped_dots("/x/%2e%2E/order/create")]
#[case::dot_dot_with_a_parameter("/x/..;a/order/create")]
#[case::above_the_root("/../../order/create")]
#[case::absolute("http://api.example.com/order/create")]
#[case::absolute_with_a_query("http://other/order/create?a")]
#[case::no_slash("order/create")]
#[case::network_path("//x/order/create")]
#[case::network_path_in_backslashes("/\\x\\order/create")]
#[case::network_path_of_two_kinds("\\/x/order/create")]
#[case::network_path_with_more_slashes("////x/order/create")]
#[case::network_path_to_a_port("//user@x:80/order/create?a")]
#[case::network_path_in_escapes("/%2fx%2forder/create")]
#[case::network_path_in_escaped_backslashes("/%5Cx/order/create")]
#[case::network_path_escaped_twice("%252f%252fx/order/create")]
#[case::network_path_behind_dots("/.//x/..//y/order/create")]
#[case::merged_then_decoded("/order/x%2f%2f//../../../create")]
#[case::empty_segment_left("/order/create//..")]
#[case::absolute_and_network_path("http://h//x/order/create")]
#[case::absolute_of_browsers("http:\\\\h\\order\\create")]
#[case::absolute_without_a_host("http:///order/create")]
#[case::resolved_then_decoded("/x%2fy/../order/%63reate")]
#[case::resolved_decoded_resolved("/x%2fy/../z/%2e%2e/order/%63reate")]
#[case::unreserved_decoded("/x%2fy/%2e%2e/order/create")]
#[case::parameter_then_decoded("/x;%2f/../order/%63reate")]
#[case::query_before_fragment("/x#/../order/create?a")]
#[case::blank("/order/create%20")]
#[case::blanks_and_parameter("/order/create%20%09;a")]
#[case::blank_before_a_slash("/order/create%20/")]
#[case::blank_behind_dots("/order/create/x/..%20")]
#[case::dot_at_the_end("/order/create.")]
#[case::dots_at_the_end("/order/create../?a")]
#[case::dot_behind_a_segment("/order./create")]
#[case::dots_behind_a_segment("/order../%63reate")]
#[case::escaped_dot_at_the_end("/order/create%2e%20.")]
#[case::line_feed("/order/create%0a")]
#[case::line_feed_within("/order/cre%0d%0aate")]
#[case::delete("/order/create%7f")]
#[case::nul("/order/create%00x")]
#[case::nul_and_a_type("/order/create%00/a.html")]
#[case::utf_16("/order/%u0063reate")]
#[case::utf_16_slash("/order%U002Fcreate")]
#[case::utf_16_escaped("/order/%25u0063reate")]
#[case::overlong_slash("/order%c0%afcreate")]
#[case::overlong_dots("/x/%c0%ae%c0%ae/order/create")]
#[case::overlong_slash_in_three("/order%e0%80%afcreate")]
#[case::escaped_six_times("/order/%252525252563reate")]
fn a_lenient_server_could_read_it(#[case] target: &str) {
    assert!(might(PathPattern::Exact("/order/create".to_owned()), target));
}

#[rstest]
#[case("/order/created")]
#[case("/order")]
#[case("/order/create/x")]
#[case("/order/create/../x")]
#[case("/order/cre%ate")]
#[case("/%6frder/%63reated")]
#[case("http://order/create")]
#[case("*")]
#[case("")]
#[case("//x/y/order/create")]
#[case("http://h/x/order/create")]
#[case("/http://h/order/create")]
#[case("/order/create.json")]
#[case("/order/create/..")]
#[case("/order/cr%20eate")]
#[case("/order/%00create")]
#[case("/order/create%u00")]
#[case("/order/%c0create")]
fn no_server_could(#[case] target: &str) {
    assert!(!might(PathPattern::Exact("/order/create".to_owned()), target));
}

#[rstest]
#[case("/order/1", true)]
#[case("/ORDER/1/", true)]
#[case("/order/a%2fb", true)]
#[case("/order/a\\b", true)]
#[case("/order/;a", true)]
#[case("/order/..;a", true)]
#[case("/order/", false)]
#[case("/order/1/2", false)]
fn templates(#[case] target: &str, #[case] expected: bool) {
    assert_eq!(might(PathPattern::template("/order/{id}").unwrap(), target), expected);
}

#[rstest]
#[case("/pay", true)]
#[case("/PAY/1", true)]
#[case("/x/../pay/1", true)]
#[case("/payment", false)]
#[case("/pa", false)]
fn prefixes(#[case] target: &str, #[case] expected: bool) {
    assert_eq!(might(PathPattern::Prefix("/pay".to_owned()), target), expected);
    assert_eq!(might(PathPattern::Prefix("/pay/".to_owned()), target), expected);
    assert!(might(PathPattern::Prefix("/".to_owned()), target));
}

#[rstest]
#[case::itself(Some("api.example.com"), true)]
#[case::capitals_and_port(Some("API.example.com:80"), true)]
#[case::trailing_dot(Some("api.example.com.:80"), true)]
#[case::no_form(Some("a b"), true)]
#[case::none(None, true)]
#[case::empty(Some(""), true)]
#[case::no_port(Some("api.example.com:80a"), true)]
#[case::negative_port(Some("api.example.com:-1"), true)]
#[case::two_ports(Some("api.example.com:80:80"), true)]
#[case::other_with_no_port(Some("example.com:x"), true)]
#[case::brackets(Some("[api.example.com]"), true)]
#[case::brackets_and_port(Some("[api.example.com]:80"), true)]
#[case::bracket(Some("api.example.com]"), true)]
#[case::open_bracket(Some("api.example.com["), true)]
#[case::address_with_more(Some("[::1]a"), true)]
#[case::address_with_no_port(Some("[::1]:a"), true)]
#[case::address_without_brackets(Some("::1"), true)]
#[case::empty_port(Some("api.example.com:"), true)]
#[case::address(Some("[::1]"), false)]
#[case::address_and_port(Some("[2001:db8::1]:8080"), false)]
#[case::other_and_empty_port(Some("example.com:"), false)]
#[case::other(Some("example.com"), false)]
#[case::other_with_a_dot(Some("example.com."), false)]
fn hosts(#[case] authority: Option<&str>, #[case] expected: bool) {
    let rule = guarded(PathPattern::Exact("/a".to_owned()));
    let target = Readings::new(b"/a");
    assert_eq!(rule.might_match(authority.map(str::as_bytes), b"post", &target), expected);
    assert!(!rule.might_match(authority.map(str::as_bytes), b"PUT", &target));
    assert_eq!(rule.might_match_any_method(authority.map(str::as_bytes), &target), expected);
}

/// Dots at the end are no other allocation, and no other path where the rule is for it.
#[test]
fn normal_paths_stay_normal() {
    assert_eq!(Readings::new(b"/a.?b").normal(), Some("/a."));
    assert!(!might(PathPattern::Exact("/a".to_owned()), "/a.b"));
    assert!(might(PathPattern::Exact("/a.".to_owned()), "/a."));
}

/// More readings than are told apart could be anything.
#[test]
fn too_many_readings_are_any() {
    let target = ["/x%", &"25".repeat(2000), "63"].concat();
    let readings = Readings::new(target.as_bytes());
    assert_eq!(readings.normal(), None);
    assert!(readings.any(|_| false));
    assert!(might(PathPattern::Exact("/order/create".to_owned()), &target));
}

proptest::proptest! {
    /// Whatever a pattern matches, it might match.
    #[test]
    fn might_match_is_the_weaker(path in "(/[a-c%.;A]{1,3}){1,3}/?(\\?x)?") {
        let patterns = [
            PathPattern::Exact("/a/b".to_owned()),
            PathPattern::Prefix("/a".to_owned()),
            PathPattern::Prefix("/a/".to_owned()),
            PathPattern::Template(vec![Some("a".to_owned()), None]),
        ];
        let readings = Readings::new(path.as_bytes());
        for path_pattern in patterns {
            let is_meant = normal_path(path.as_bytes()).is_some_and(|path| path_pattern.matches(path));
            let rule = Match { hosts: Vec::new(), methods: Vec::new(), path: path_pattern };
            proptest::prop_assert!(!is_meant || rule.might_match_any_method(None, &readings));
        }
    }
}

/// A server that cuts the text of a target there has its root left.
#[rstest]
#[case("/;a")]
#[case("/%20")]
#[case("//")]
#[case("/a/..")]
fn the_root_is_guarded_too(#[case] target: &str) {
    assert!(might(PathPattern::Exact("/".to_owned()), target));
}
