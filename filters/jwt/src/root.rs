//! The root context: configuration, and keys kept fresh by the tick.

use std::rc::Rc;
use std::time::Duration;

use jwt_core::config::Config;
use log::error;
use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{BufferType, ContextType};

use crate::fetch::Fetcher;
use crate::filter::Filter;
use crate::state::{State, now_ms};

/// Until the first load every request with a token waits for us.
const EAGER_TICK: Duration = Duration::from_millis(200);
const TICK: Duration = Duration::from_secs(1);

#[derive(Default)]
pub(crate) struct Root {
    state: Option<Rc<State>>,
    fetchers: Vec<Fetcher>,
    is_eager: bool,
}

impl Root {
    fn refresh(&mut self) {
        let (Some(state), Some(now_ms)) = (self.state.clone(), now_ms()) else { return };
        state.adopt();
        for fetcher in &mut self.fetchers {
            fetcher.fetch_if_due(now_ms, state.wants_keys.get());
        }
        self.pace(!state.is_loaded());
    }

    fn pace(&mut self, eager: bool) {
        if self.is_eager != eager {
            self.is_eager = eager;
            let period = if eager { EAGER_TICK } else { TICK };
            if let Err(status) = hostcalls::set_tick_period(period) {
                error!("cannot set the tick: {status:?}");
            }
        }
    }
}

impl Context for Root {
    fn on_http_call_response(&mut self, call: u32, headers: usize, body_bytes: usize, _trailers: usize) {
        let Some(now_ms) = now_ms() else { return };
        if let Some(fetcher) = self.fetchers.iter_mut().find(|fetcher| fetcher.is_waiting_for(call)) {
            fetcher.answer(now_ms, headers, body_bytes);
        }
        self.refresh();
    }
}

impl RootContext for Root {
    fn on_configure(&mut self, _bytes: usize) -> bool {
        let text = hostcalls::get_buffer(BufferType::PluginConfiguration, 0, usize::MAX);
        match Config::from_json(&text.ok().flatten().unwrap_or_default()) {
            Ok(config) => {
                let state = State::new(config);
                let sources = state.config.providers().iter().zip(&state.documents);
                self.fetchers = sources
                    .map(|(provider, document)| Fetcher::new(provider.jwks().clone(), Rc::clone(document)))
                    .collect();
                self.state = Some(Rc::new(state));
                self.is_eager = false;
                self.pace(true);
                self.refresh();
                true
            }
            Err(error) => {
                error!("pluginConfig refused: {error}");
                false
            }
        }
    }

    fn on_tick(&mut self) {
        self.refresh();
    }

    fn create_http_context(&self, _id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Filter { state: self.state.clone() }))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}
