//! Counters with labels, which proxy-wasm does not know: they go into the name, and the bootstrap's
//! `stats_tags` takes them out again. The form is the one that Istio's `extraStatTags` makes regexes for.

use std::cell::RefCell;
use std::collections::HashMap;

use log::error;
use proxy_wasm::hostcalls;
use proxy_wasm::types::MetricType;

thread_local! {
    // A VM runs on one thread, so this is the VM's own table.
    static IDS: RefCell<HashMap<String, u32>> = RefCell::new(HashMap::new());
}

/// Adds one to `<family>_requests_total{verdict,reason}`.
///
/// Metrics live as long as the process, so verdict and reason come from fixed sets (hence `'static`).
pub fn increment(family: &'static str, verdict: &'static str, reason: &'static str) {
    let name = name(family, verdict, reason);
    let known = IDS.with_borrow(|ids| ids.get(&name).copied());
    let id = match known {
        Some(id) => id,
        None => match hostcalls::define_metric(MetricType::Counter, &name) {
            Ok(id) => {
                IDS.with_borrow_mut(|ids| ids.insert(name, id));
                id
            }
            Err(status) => return error!("cannot define the metric {name}: {status:?}"),
        },
    };
    if let Err(status) = hostcalls::increment_metric(id, 1) {
        error!("cannot count {family} {verdict} {reason}: {status:?}");
    }
}

fn name(family: &str, verdict: &str, reason: &str) -> String {
    format!("{family}.verdict=.={verdict};.;reason=.={reason};.;requests_total")
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn labels_stand_in_the_name_as_the_stats_tags_expect_them() {
        assert_eq!(
            name("finpay_jwt", "allow", "ok"),
            "finpay_jwt.verdict=.=allow;.;reason=.=ok;.;requests_total"
        );
    }
}
