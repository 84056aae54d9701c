//! The filter with one configuration: requests judged, keys and revocations kept fresh by the tick.

mod waiting;

use std::cell::{Cell, RefCell};
use std::time::Duration;

use abi::headers::{Headers, Map};
use abi::{Action, Plugin, Refused, clock, headers};
use jwt_core::config::{Config, Jwks};
use jwt_core::judge::{Decision, judge};
use jwt_core::request::Request;
use jwt_core::verdict::{Reason, Verdict};
use jwt_core::verify::Verifier;
use log::{error, warn};

use crate::apply;
use crate::metrics::Metrics;
use crate::parking::{Parked, Parking};
use crate::signatures::Signatures;
use crate::source::{Arrived, FeedSource, JwksSource, Keys, Sources, millis};

/// While requests wait, and right after the start.
const URGENT: Duration = Duration::from_millis(10);
/// While a provider's keys or revocations were never loaded.
const EAGER: Duration = Duration::from_millis(100);
/// While revocations are asked for: half of the second in which all workers have them.
const WATCHFUL: Duration = Duration::from_millis(500);
const CALM: Duration = Duration::from_secs(1);

pub(crate) struct Filter {
    config: Config,
    verifier: RefCell<Verifier<Signatures>>,
    sources: Vec<Sources>,
    parking: Parking,
    metrics: Metrics,
    /// Requests in flight whose answers are to say that a dry run would have refused them.
    would_deny: RefCell<Vec<(u32, Reason)>>,
    tick: Cell<Duration>,
    /// One message in the log is enough.
    has_warned: Cell<bool>,
}

impl Filter {
    fn new(config: Config) -> Self {
        let metrics = Metrics::new();
        let signatures = Signatures::new(config.signatures, &metrics.host_signatures);
        let mut verifier = Verifier::new(&config, signatures);
        let mut sources = Vec::with_capacity(config.providers.len());
        for (index, provider) in config.providers.iter().enumerate() {
            let (jwks, timeout) = match &provider.jwks {
                Jwks::Inline(_) => (None, Duration::ZERO),
                Jwks::Remote(remote) => (
                    Some(JwksSource::new(remote.clone(), config.limits, &provider.issuer, &provider.name)),
                    remote.target.timeout,
                ),
            };
            let feed = provider.revocations.as_ref();
            let timeout = feed.map_or(timeout, |feed| timeout.max(feed.target.timeout));
            let feed =
                feed.map(|feed| FeedSource::new(feed.clone(), config.limits.revocations, &provider.name));
            if let Some(feed) = &feed {
                verifier.set_feed(index, feed.initial());
            }
            sources.push(Sources { jwks, feed, timeout_ms: millis(timeout) });
        }
        Self {
            parking: Parking::new(config.limits.parked_requests),
            metrics,
            verifier: RefCell::new(verifier),
            sources,
            config,
            would_deny: RefCell::default(),
            tick: Cell::new(Duration::ZERO),
            has_warned: Cell::new(false),
        }
    }

    /// Judges the current request. Where it may soon fare better, it waits, if it still may.
    fn decide(&self, context: u32, waited: Option<&Parked>) -> Result<Action, Refused> {
        let started_ns = clock::now_ns()?;
        let now_ms = started_ns.checked_div(1_000_000).unwrap_or(0);
        let all = Headers::read(Map::Request)?;
        let target = waited.and_then(|parked| parked.target.as_deref());
        let target = target.map(|target| (b":path".as_slice(), target));
        let request = Request::read(&self.config, all.iter().chain(target));
        let decision = judge(
            &self.config,
            &mut *self.verifier.borrow_mut(),
            &request,
            now_ms.checked_div(1_000).unwrap_or(0),
        );
        if self.park(context, &request, &decision, now_ms, waited)? {
            return Ok(Action::Pause);
        }
        apply::clean(&self.config, &request)?;
        if let Verdict::Allow(identity) = &decision.verdict {
            apply::identify(&self.config, &request, identity)?;
        }
        // What a dry run would have refused nobody else tells.
        let would_deny = decision.is_dry_run && matches!(decision.verdict, Verdict::Deny(_));
        if (self.config.logs_state || would_deny)
            && let Err(refused) = apply::log(&self.config, &decision)
            && !self.has_warned.replace(true)
        {
            warn!("access logs cannot be told of requests: {refused:?}");
        }
        self.metrics.count(&self.config, &decision);
        if self.metrics.durations.is_timed() {
            self.metrics.durations.since(started_ns);
        }
        match &decision.verdict {
            Verdict::Deny(denial) if !decision.is_dry_run => {
                apply::refuse(&self.config, denial);
                Ok(Action::Pause)
            }
            Verdict::Deny(denial) if self.config.dry_run_header.is_some() => {
                self.would_deny.borrow_mut().push((context, denial.reason));
                Ok(Action::Continue)
            }
            _ => Ok(Action::Continue),
        }
    }

    fn refuse_for_host(&self, refused: Refused) -> Action {
        // Headers that can be neither read nor changed: no request may pass on such ground.
        error!("the host refused a call: {refused:?}");
        let decision = Decision::from(Reason::Internal);
        self.metrics.count(&self.config, &decision);
        apply::refuse(&self.config, &Reason::Internal.into());
        Action::Pause
    }

    /// Takes over what any worker's VM has fetched; says of which providers there is something new.
    fn adopt(&self, now_ms: u64) -> Vec<bool> {
        let mut verifier = self.verifier.borrow_mut();
        let adopted = self.sources.iter().enumerate().map(|(index, sources)| {
            let keys = sources.jwks.as_ref().and_then(|jwks| jwks.adopt(now_ms));
            let feed = sources.feed.as_ref().and_then(|feed| feed.adopt(now_ms));
            let is_new = keys.is_some() || feed.is_some();
            match keys {
                None => {}
                Some(Keys::Others(set)) => verifier.set_keys(index, Some(set)),
                Some(Keys::TooOld) => verifier.set_keys(index, None),
            }
            if let Some(feed) = feed {
                verifier.set_feed(index, feed);
            }
            is_new
        });
        adopted.collect()
    }

    fn refresh(&self) {
        let Ok(now_ms) = clock::now_ms() else { return };
        let news = self.adopt(now_ms);
        // Before anything is fetched, lest it be for those whom the news help.
        self.unpark(now_ms, &news);
        for (index, sources) in self.sources.iter().enumerate() {
            if let Some(jwks) = &sources.jwks {
                jwks.fetch_if_due(now_ms, self.parking.wants_key(index));
            }
            if let Some(feed) = &sources.feed {
                feed.fetch_if_due(now_ms);
            }
        }
        let (tokens, hits) = {
            let verifier = self.verifier.borrow();
            (verifier.cached_tokens(), verifier.cache_hits())
        };
        self.metrics.memory(tokens, hits);
        self.pace();
    }

    /// Sets the tick to what is needed now.
    fn pace(&self) {
        let is_loaded = |sources: &Sources, index: usize| {
            let verifier = self.verifier.borrow();
            (sources.jwks.is_none() || verifier.keys(index).is_some())
                && !matches!(verifier.feed(index), Some(jwt_core::verify::Feed::Unavailable))
        };
        let period = if self.parking.len() > 0 || self.tick.get().is_zero() {
            URGENT
        } else if self.sources.iter().enumerate().all(|(index, sources)| is_loaded(sources, index)) {
            if self.sources.iter().any(|sources| sources.feed.is_some()) { WATCHFUL } else { CALM }
        } else {
            EAGER
        };
        if self.tick.replace(period) != period
            && let Err(refused) = clock::set_tick_period(period)
        {
            error!("cannot set the tick: {refused:?}");
        }
    }
}

impl Plugin for Filter {
    fn configure(configuration: &[u8]) -> Option<Self> {
        let started_ns = clock::now_ns().ok()?;
        match Config::from_json(configuration) {
            Ok(config) => {
                let filter = Self::new(config);
                // What is known already holds from the first request on.
                filter.adopt(started_ns.checked_div(1_000_000).unwrap_or(0));
                filter.pace();
                filter.metrics.configured(clock::now_ns().ok()?.saturating_sub(started_ns));
                Some(filter)
            }
            Err(error) => {
                error!("pluginConfig refused: {error}");
                None
            }
        }
    }

    fn on_tick(&self) {
        self.refresh();
    }

    fn on_http_call_response(&self, call: u32, headers: u32, body_bytes: usize) {
        let Ok(now_ms) = clock::now_ms() else { return };
        let arrived = Arrived { call, now_ms, headers, body_bytes };
        let _ = self.sources.iter().any(|sources| {
            sources.jwks.as_ref().is_some_and(|jwks| jwks.answer(arrived))
                || sources.feed.as_ref().is_some_and(|feed| feed.answer(arrived))
        });
        self.refresh();
    }

    fn on_request_headers(&self, context: u32, _is_end: bool) -> Action {
        self.decide(context, None).unwrap_or_else(|refused| self.refuse_for_host(refused))
    }

    /// Those of another configuration's requests too, since nobody says whose it is: that takes away more, never less.
    fn on_request_trailers(&self, _context: u32) -> Action {
        match apply::clean_trailers(&self.config) {
            Ok(()) => Action::Continue,
            Err(refused) => self.refuse_for_host(refused),
        }
    }

    fn on_response_headers(&self, context: u32) {
        let Some(name) = &self.config.dry_run_header else { return };
        let reason =
            self.would_deny.borrow().iter().find(|(known, _)| *known == context).map(|(_, reason)| *reason);
        if let Some(reason) = reason
            && let Err(refused) = headers::add(Map::Response, name, reason.as_str().as_bytes())
        {
            error!("an answer cannot tell of a dry run: {refused:?}");
        }
    }

    fn on_delete(&self, context: u32) {
        self.parking.remove(context);
        // Nearly always there is none.
        if !self.would_deny.borrow().is_empty() {
            self.would_deny.borrow_mut().retain(|(known, _)| *known != context);
        }
    }
}
