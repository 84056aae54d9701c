//! A provider's keys.

use std::cell::RefCell;

use abi::metric::Kind;
use host::metric::{Counters, Metric};
use jwt_core::config::RemoteJwks;
use jwt_core::discovery;
use jwt_core::jwks::{Dropped, KeySet, MAX_DOCUMENT_BYTES};
use log::{info, warn};

use super::{Fetcher, jittered, millis};
use crate::shared::Stamp;

const FAMILY: &str = "finpay_jwt_jwks";

pub(crate) struct JwksSource {
    fetcher: Fetcher,
    remote: RemoteJwks,
    /// With discovery: where the document said that the keys are, once it was read.
    found: RefCell<Option<discovery::Location>>,
    issuer: String,
    /// Whether the keys were taken away for their age.
    is_stale: std::cell::Cell<bool>,
    dropped: Counters<&'static str>,
    keys: Metric,
    age_seconds: Metric,
    last_success_seconds: Metric,
}

/// What has become of a provider's keys since they were looked at last.
pub(crate) enum Change {
    /// Nothing.
    None,
    /// There are others.
    Keys(KeySet),
    /// They are staler than allowed.
    Stale,
}

impl JwksSource {
    pub(crate) fn new(remote: RemoteJwks, issuer: &str, provider: &str) -> Self {
        let labels = [("provider", provider)];
        let gauge = |what| Metric::new(Kind::Gauge, FAMILY, &labels, what);
        Self {
            fetcher: Fetcher::new("jwks", FAMILY, remote.target.clone(), provider),
            remote,
            found: RefCell::default(),
            issuer: issuer.to_owned(),
            is_stale: std::cell::Cell::new(false),
            dropped: Counters::new("finpay_jwt_keys"),
            keys: gauge("keys"),
            age_seconds: gauge("age_seconds"),
            last_success_seconds: gauge("last_success_seconds"),
        }
    }

    /// Starts a fetch if one is due, or wanted for a key that is not in the set.
    pub(crate) fn fetch_if_due(&self, now_ms: u64, is_wanted: bool) {
        if self.fetcher.is_asking() {
            return;
        }
        let stamp = self.fetcher.shared.stamp();
        let is_due = stamp
            .as_ref()
            .is_none_or(|stamp| now_ms >= stamp.due_at_ms || (is_wanted && self.may_refetch(stamp, now_ms)));
        if !is_due {
            return;
        }
        let target = &self.fetcher.target;
        if self.remote.is_discovery {
            // The document first, each time: that is where a move of the keys would be told.
            *self.found.borrow_mut() = None;
            return self.fetcher.ask(now_ms, &target.authority, &target.path, None);
        }
        let etag = stamp.as_ref().and_then(|stamp| str::from_utf8(&stamp.etag).ok());
        self.fetcher.ask(now_ms, &target.authority, &target.path, etag.filter(|etag| !etag.is_empty()));
    }

    /// Unknown `kid`s cost an attacker nothing: they may trigger no more than one fetch in a time.
    fn may_refetch(&self, stamp: &Stamp, now_ms: u64) -> bool {
        now_ms >= stamp.fetched_at_ms.saturating_add(millis(self.remote.min_refetch))
    }

    /// Whether a request that lacks a key may find it soon.
    pub(crate) fn may_help(&self, now_ms: u64, is_unknown_key: bool) -> bool {
        let is_fresh = |stamp: Stamp| is_unknown_key && !self.may_refetch(&stamp, now_ms);
        self.fetcher.is_worth_waiting(now_ms) && !self.fetcher.shared.stamp().is_some_and(is_fresh)
    }

    /// Takes the answer to a call, if it was this source's.
    pub(crate) fn answer(&self, call: u32, now_ms: u64, headers: u32, body_bytes: usize) -> bool {
        if !self.fetcher.is_waiting_for(call) {
            return false;
        }
        if let Err(reason) = self.take(now_ms, headers, body_bytes) {
            self.fetcher.fail(now_ms, reason);
        }
        true
    }

    fn take(&self, now_ms: u64, headers: u32, body_bytes: usize) -> Result<(), &'static str> {
        let answer = self.fetcher.answer(headers, body_bytes, MAX_DOCUMENT_BYTES)?;
        if self.remote.is_discovery && self.found.borrow().is_none() {
            let body = answer.body.ok_or("status")?;
            let location = discovery::read(&body, &self.issuer).map_err(|error| {
                warn!("the discovery document of {} is of no use: {error}", self.fetcher.target.cluster);
                "discovery"
            })?;
            self.fetcher.ask_on(now_ms, &location.authority, &location.path);
            *self.found.borrow_mut() = Some(location);
            return Ok(());
        }
        if let Some(body) = &answer.body {
            let set = KeySet::parse(body).map_err(|error| {
                warn!("the key set of {} is of no use: {error}", self.fetcher.target.cluster);
                "document"
            })?;
            self.tell(&set);
        }
        let max_age = answer.headers.first("cache-control").and_then(discovery::max_age);
        let refresh = max_age
            .map_or(self.remote.refresh, |age| age.clamp(self.remote.min_refetch, self.remote.refresh));
        let etag = answer.headers.first("etag").unwrap_or_default().to_vec();
        let due_at_ms = now_ms.saturating_add(jittered(millis(refresh)));
        let stamp = Stamp { fetched_at_ms: now_ms, due_at_ms, version: 0, etag };
        self.fetcher.share(answer.body.as_deref(), stamp)?;
        self.fetcher.succeed();
        Ok(())
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

    /// What the workers know by now.
    pub(crate) fn adopt(&self, now_ms: u64) -> Change {
        let Some(stamp) = self.fetcher.shared.stamp() else { return Change::None };
        let age_ms = now_ms.saturating_sub(stamp.fetched_at_ms);
        self.age_seconds.set(seconds(age_ms));
        self.last_success_seconds.set(seconds(stamp.fetched_at_ms));
        if age_ms > millis(self.remote.stale) {
            if self.is_stale.replace(true) {
                return Change::None;
            }
            warn!("the keys of {} are too old to count", self.fetcher.target.cluster);
            self.keys.set(0);
            self.fetcher.shared.forget();
            return Change::Stale;
        }
        self.is_stale.set(false);
        let changed = self.fetcher.shared.changed(&stamp);
        match changed.and_then(|document| KeySet::parse(&document).ok()) {
            Some(set) => {
                self.keys.set(u64::try_from(set.count()).unwrap_or(u64::MAX));
                Change::Keys(set)
            }
            None => Change::None,
        }
    }
}

fn seconds(ms: u64) -> u64 {
    ms.checked_div(1_000).unwrap_or(0)
}
