//! The plugin's own context: its rules.

use std::rc::Rc;

use amount_core::rule::Config;
use log::error;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;

use crate::filter::Filter;

#[derive(Default)]
pub(crate) struct Root {
    config: Option<Rc<Config>>,
}

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _size: usize) -> bool {
        let text = self.get_plugin_configuration().unwrap_or_default();
        match Config::from_json(&text) {
            Ok(config) => {
                self.config = Some(Rc::new(config));
                true
            }
            Err(problem) => {
                error!("amount: the configuration is refused at {problem}");
                false
            }
        }
    }

    fn create_http_context(&self, _id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Filter::new(self.config.clone())))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}
