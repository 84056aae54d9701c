//! A provider's keys.

use std::cell::{Cell, RefCell};

use abi::metric::Kind;
use host::metric::{Counters, Metric};
use jwt_core::config::{Limits, RemoteJwks};
use jwt_core::discovery;
use jwt_core::jwks::{Dropped, KeySet};
use log::{info, warn};

use super::{Answer, Arrived, Fetcher, News, jittered, millis};
use crate::shared::Stamp;

/// So many fetches for unknown keys may follow each other at once, so that one for a key that nobody has, or for one
/// that came a moment too early, does not bar the next.
const REFETCHES: u64 = 2;
const FAMILY: &str = "finpay_jwt_jwks";

pub(crate) struct JwksSource {
    fetcher: Fetcher,
    remote: RemoteJwks,
    limits: Limits,
    /// With discovery: where the document said that the keys are, once it was read.
    found: RefCell<Option<discovery::Location>>,
    /// Whether what is being fetched is an unknown key.
    is_refetch: Cell<bool>,
    issuer: String,
    dropped: Counters<&'static str>,
    keys: Metric,
}

/// What has become of a provider's keys.
pub(crate) enum Keys {
    /// There are others.
    Others(KeySet),
    /// They no longer count.
    TooOld,
}

impl JwksSource {
    pub(crate) fn new(remote: RemoteJwks, limits: Limits, issuer: &str, provider: &str) -> Self {
        // Discovery's answer is this issuer's alone, and who takes larger sets does not share with who takes none of them.
        let scope = format!("{} {} {issuer}", limits.jwks_bytes, limits.jwks_keys);
        Self {
            fetcher: Fetcher::new(&scope, FAMILY, remote.target.clone(), remote.refresh, provider),
            remote,
            limits,
            found: RefCell::default(),
            is_refetch: Cell::new(false),
            issuer: issuer.to_owned(),
            dropped: Counters::new("finpay_jwt_keys"),
            keys: Metric::new(Kind::Gauge, FAMILY, &[("provider", provider)], "keys"),
        }
    }

    /// Starts a fetch if one is due, or wanted for a key that is not in the set.
    pub(crate) fn fetch_if_due(&self, now_ms: u64, is_wanted: bool) {
        if self.fetcher.is_asking() {
            return;
        }
        let stamp = self.fetcher.shared.stamp(now_ms);
        let is_due = self.fetcher.is_due(stamp.as_ref(), now_ms);
        let is_refetch =
            !is_due && is_wanted && stamp.as_ref().is_some_and(|stamp| self.may_refetch(stamp, now_ms));
        if !is_due && !is_refetch {
            return;
        }
        self.is_refetch.set(is_refetch);
        let target = &self.fetcher.target;
        if self.remote.is_discovery {
            // The document first, each time: that is where a move of the keys would be told.
            *self.found.borrow_mut() = None;
            return self.fetcher.ask(now_ms, &target.authority, &target.path, None);
        }
        let etag = stamp.as_ref().and_then(|stamp| etag_of(stamp, &target.authority, &target.path));
        self.fetcher.ask(now_ms, &target.authority, &target.path, etag);
    }

    /// Unknown `kid`s cost an attacker nothing: they may trigger no more than one fetch in a time, taken over a while.
    fn may_refetch(&self, stamp: &Stamp, now_ms: u64) -> bool {
        let ahead_ms = millis(self.remote.min_refetch).saturating_mul(REFETCHES.saturating_sub(1));
        self.spent_until_ms(stamp, now_ms) <= now_ms.saturating_add(ahead_ms)
    }

    /// Another configuration may have granted less than this one.
    fn spent_until_ms(&self, stamp: &Stamp, now_ms: u64) -> u64 {
        let all_ms = millis(self.remote.min_refetch).saturating_mul(REFETCHES);
        stamp.spent_until_ms.min(now_ms.saturating_add(all_ms))
    }

    /// Of the requests that lack a key, those that may find it soon: all that came at this time or later.
    pub(crate) fn helps_from(&self, now_ms: u64, is_unknown_key: bool) -> Option<u64> {
        let stamp = self.fetcher.shared.stamp(now_ms);
        let Some(stamp) = stamp.filter(|_| is_unknown_key) else {
            // Without any keys an issuer that is down is told at once, by 503.
            return (self.asks_from_ms(now_ms) == now_ms).then_some(0);
        };
        if self.fetcher.shared.is_news(&stamp) {
            // Another worker has fetched what this one is about to read.
            return Some(0);
        }
        // What it lacks was not in the set that was fetched since it came. One that came in the same millisecond may have
        // come later.
        let is_asked = self.fetcher.is_due(Some(&stamp), now_ms) || self.may_refetch(&stamp, now_ms);
        is_asked.then_some(stamp.fetched_at_ms)
    }

    /// Until when nobody asks, because the last attempt failed; now, if somebody does or may.
    pub(crate) fn asks_from_ms(&self, now_ms: u64) -> u64 {
        self.fetcher.asks_from_ms(now_ms)
    }

    /// Takes the answer to a call, if it was this source's.
    pub(crate) fn answer(&self, arrived: Arrived) -> bool {
        self.fetcher.answer(arrived, self.limits.jwks_bytes, |answer| self.take(arrived.now_ms, answer))
    }

    fn take(&self, now_ms: u64, answer: Answer) -> Result<(), &'static str> {
        if self.remote.is_discovery && self.found.borrow().is_none() {
            let body = answer.body.ok_or("status")?;
            let location = discovery::read(&body, &self.issuer).map_err(|error| {
                warn!("the discovery document of {} is of no use: {error}", self.fetcher.target.cluster);
                "discovery"
            })?;
            let stamp = self.fetcher.shared.stamp(now_ms);
            let etag = stamp.as_ref().and_then(|stamp| etag_of(stamp, &location.authority, &location.path));
            self.fetcher.ask_on(now_ms, &location.authority, &location.path, etag);
            *self.found.borrow_mut() = Some(location);
            return Ok(());
        }
        if let Some(body) = &answer.body {
            let set = KeySet::parse(body, &self.limits).map_err(|error| {
                warn!("the key set of {} is of no use: {error}", self.fetcher.target.cluster);
                "document"
            })?;
            self.tell(&set);
        }
        let max_age = answer.headers.first("cache-control").and_then(discovery::max_age);
        let refresh = max_age
            .map_or(self.remote.refresh, |age| age.max(self.remote.min_refetch).min(self.remote.refresh));
        let etag = answer.headers.first("etag").map_or_else(Vec::new, |etag| self.place(etag));
        let due_at_ms = now_ms.saturating_add(jittered(millis(refresh)));
        let last = self.fetcher.shared.stamp(now_ms);
        let mut spent_until_ms = last.map_or(0, |last| self.spent_until_ms(&last, now_ms));
        if self.is_refetch.get() {
            spent_until_ms = spent_until_ms.max(now_ms).saturating_add(millis(self.remote.min_refetch));
        }
        let stamp = Stamp { fetched_at_ms: now_ms, due_at_ms, version: 0, spent_until_ms, etag };
        self.fetcher.share(answer.body.as_deref(), stamp)?;
        self.fetcher.succeed();
        Ok(())
    }

    /// An ETag with the place that it is of.
    fn place(&self, etag: &[u8]) -> Vec<u8> {
        let found = self.found.borrow();
        let target = &self.fetcher.target;
        let (authority, path) =
            found.as_ref().map_or((&target.authority, &target.path), |found| (&found.authority, &found.path));
        [authority.as_bytes(), path.as_bytes(), b" ", etag].concat()
    }

    fn tell(&self, set: &KeySet) {
        for reason in set.dropped().iter().copied().map(Dropped::as_str) {
            let labels = || {
                vec![("verdict", "dropped"), ("reason", reason), ("provider", self.fetcher.provider.as_str())]
            };
            self.dropped.increment(reason, labels);
        }
        info!("{} keys from {}, {} dropped", set.count(), self.fetcher.target.cluster, set.dropped().len());
    }

    /// What the workers know by now, if it is something else than before.
    pub(crate) fn adopt(&self, now_ms: u64) -> Option<Keys> {
        let keys = match self.fetcher.news(now_ms, self.remote.stale)? {
            // It was read before it was shared.
            News::Document(document) => Keys::Others(KeySet::parse(&document, &self.limits).ok()?),
            News::Stale => Keys::TooOld,
        };
        let count = if let Keys::Others(set) = &keys { set.count() } else { 0 };
        self.keys.set(u64::try_from(count).unwrap_or(u64::MAX));
        Some(keys)
    }
}

/// The ETag of the document that was fetched last, if it was fetched here and can be told as text.
fn etag_of<'a>(stamp: &'a Stamp, authority: &str, path: &str) -> Option<&'a str> {
    let text = str::from_utf8(&stamp.etag).ok()?;
    text.strip_prefix(authority)?.strip_prefix(path)?.strip_prefix(' ').filter(|etag| !etag.is_empty())
}
