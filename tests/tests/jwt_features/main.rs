//! What the filter offers, feature by feature, by the real module in a real Envoy.

mod algorithms;
mod identity;
mod places;
mod refused_configurations;
mod rules;

use tests::raw::Reply;

/// What the service saw of a request header, if anything.
fn seen<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    let name = format!("seen-{name}");
    reply.has(&name).then(|| reply.header(&name))
}
