//! What the host calls: a plugin for each root context, and the exports that lead to it.
//!
//! One VM serves several root contexts: plugins with different configurations, and for a while the old and the new
//! configuration of one plugin. A request's context is told once, right before its first callback; it is not kept.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::{Buffer, http};

/// What becomes of a request after a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Action {
    /// It goes on.
    Continue = 0,
    /// It waits, or it was answered.
    Pause = 1,
}

/// A filter, once for each configuration in use. The host makes no callback from within a call of its functions, so
/// cells may stay borrowed over such a call. Only the callbacks that [`plugin!`](crate::plugin!) was told of are
/// called.
pub trait Plugin: Sized + 'static {
    /// Reads the configuration; `None` (after a message in the log) refuses it, and Envoy then refuses the listener.
    fn configure(configuration: &[u8]) -> Option<Self>;

    /// A period has passed.
    fn on_tick(&self) {}

    /// A call was answered; without headers it failed.
    fn on_http_call_response(&self, _call: u32, _headers: u32, _body_bytes: usize) {}

    /// A request begins.
    fn on_request_headers(&self, context: u32, is_end: bool) -> Action;

    /// More of a request's body has come: `bytes` in all that Envoy holds.
    fn on_request_body(&self, _context: u32, _bytes: usize, _is_end: bool) -> Action {
        Action::Continue
    }

    /// A request ends with trailers.
    fn on_request_trailers(&self, _context: u32) -> Action {
        Action::Continue
    }

    /// A request's answer begins; an answer of our own too.
    fn on_response_headers(&self, _context: u32) {}

    /// A request is gone.
    fn on_delete(&self, _context: u32) {}
}

/// All plugins of a VM.
#[derive(Debug)]
pub struct Plugins<P> {
    roots: RefCell<Vec<Root<P>>>,
    /// The request context that was told of last, and its root.
    last: Cell<(u32, u32)>,
}

#[derive(Debug)]
struct Root<P> {
    context: u32,
    plugin: Rc<P>,
}

impl<P: Plugin> Default for Plugins<P> {
    fn default() -> Self {
        Self { roots: RefCell::default(), last: Cell::new((0, 0)) }
    }
}

impl<P: Plugin> Plugins<P> {
    /// `proxy_on_context_create`; a root context has no parent.
    pub fn create(&self, context: u32, parent: u32) {
        if parent != 0 {
            self.last.set((context, parent));
        }
    }

    /// `proxy_on_configure`
    pub fn configure(&self, root: u32) -> u32 {
        let configuration = crate::buffer(Buffer::PluginConfiguration, 0, usize::MAX).unwrap_or_default();
        let Some(plugin) = P::configure(&configuration) else { return 0 };
        // Before an older one of this root, which still has its requests.
        self.roots.borrow_mut().insert(0, Root { context: root, plugin: Rc::new(plugin) });
        1
    }

    /// `proxy_on_tick`
    pub fn tick(&self, root: u32) {
        if let Some(plugin) = self.root(root) {
            plugin.on_tick();
        }
    }

    /// `proxy_on_http_call_response`
    pub fn http_call_response(&self, root: u32, call: u32, headers: u32, body_bytes: usize) {
        if let Some(plugin) = self.root(root) {
            plugin.on_http_call_response(call, headers, body_bytes);
        }
    }

    /// `proxy_on_request_headers`
    pub fn request_headers(&self, context: u32, is_end: bool) -> u32 {
        let (told, root) = self.last.get();
        let plugin = if told == context { self.root(root) } else { None };
        let Some(plugin) = plugin else {
            log::error!("a request of a configuration that is not there");
            // Closed: the request stays paused even if this is refused.
            let _ = http::respond(503, &[("retry-after", "1")], b"", "no_such_configuration");
            return Action::Pause as u32;
        };
        plugin.on_request_headers(context, is_end) as u32
    }

    /// `proxy_on_request_body`
    pub fn request_body(&self, context: u32, bytes: usize, is_end: bool) -> u32 {
        self.of_request(|plugin| plugin.on_request_body(context, bytes, is_end))
    }

    /// `proxy_on_request_trailers`
    pub fn request_trailers(&self, context: u32) -> u32 {
        self.of_request(|plugin| plugin.on_request_trailers(context))
    }

    /// `proxy_on_response_headers`
    pub fn response_headers(&self, context: u32) {
        self.each(|plugin| plugin.on_response_headers(context));
    }

    /// `proxy_on_delete`
    pub fn delete(&self, context: u32) {
        if self.root(context).is_none() {
            self.each(|plugin| plugin.on_delete(context));
            return;
        }
        let (gone, kept): (Vec<_>, Vec<_>) =
            self.roots.take().into_iter().partition(|known| known.context == context);
        self.roots.replace(kept);
        // Their last words to the host come when nothing is borrowed.
        drop(gone);
    }

    fn root(&self, root: u32) -> Option<Rc<P>> {
        let roots = self.roots.borrow();
        roots.iter().find(|known| known.context == root).map(|known| Rc::clone(&known.plugin))
    }

    /// Whether any of them pauses the request.
    fn of_request(&self, ask: impl Fn(&P) -> Action) -> u32 {
        let mut action = Action::Continue;
        self.each(|plugin| {
            if ask(plugin) == Action::Pause {
                action = Action::Pause;
            }
        });
        action as u32
    }

    /// A request's root is not kept, so every plugin is told; to those whose request it is not, it is nothing.
    fn each(&self, mut tell: impl FnMut(&P)) {
        for known in self.roots.borrow().iter() {
            tell(&known.plugin);
        }
    }
}

/// Exports a plugin, with those of the callbacks that it has: each one that is exported is one more entry into the VM
/// for every request.
#[macro_export]
macro_rules! plugin {
    ($plugin:ty: $($callback:ident),*) => {
        std::thread_local! {
            static PLUGINS: $crate::Plugins<$plugin> = $crate::Plugins::default();
        }

        unsafe extern "C" {
            fn __wasm_call_ctors();
        }

        #[unsafe(no_mangle)]
        extern "C" fn _initialize() {
            // SAFETY: called once, by the host, before all else.
            unsafe { __wasm_call_ctors() };
            $crate::init_log();
        }

        #[unsafe(no_mangle)]
        extern "C" fn proxy_abi_version_0_2_1() {}

        #[unsafe(no_mangle)]
        extern "C" fn proxy_on_memory_allocate(bytes: usize) -> *mut u8 {
            $crate::memory_allocate(bytes)
        }

        #[unsafe(no_mangle)]
        extern "C" fn proxy_on_context_create(context: u32, parent: u32) {
            PLUGINS.with(|plugins| plugins.create(context, parent));
        }

        #[unsafe(no_mangle)]
        extern "C" fn proxy_on_vm_start(_root: u32, _bytes: usize) -> u32 {
            1
        }

        #[unsafe(no_mangle)]
        extern "C" fn proxy_on_configure(root: u32, _bytes: usize) -> u32 {
            PLUGINS.with(|plugins| plugins.configure(root))
        }

        #[unsafe(no_mangle)]
        extern "C" fn proxy_on_request_headers(context: u32, _headers: u32, is_end: u32) -> u32 {
            PLUGINS.with(|plugins| plugins.request_headers(context, is_end != 0))
        }

        #[unsafe(no_mangle)]
        extern "C" fn proxy_on_delete(context: u32) {
            PLUGINS.with(|plugins| plugins.delete(context));
        }

        $($crate::plugin!(@ $callback);)*
    };
    (@ tick) => {
        #[unsafe(no_mangle)]
        extern "C" fn proxy_on_tick(root: u32) {
            PLUGINS.with(|plugins| plugins.tick(root));
        }
    };
    (@ http_call_response) => {
        #[unsafe(no_mangle)]
        extern "C" fn proxy_on_http_call_response(root: u32, call: u32, headers: u32, body: usize, _trailers: u32) {
            PLUGINS.with(|plugins| plugins.http_call_response(root, call, headers, body));
        }
    };
    (@ request_body) => {
        #[unsafe(no_mangle)]
        extern "C" fn proxy_on_request_body(context: u32, bytes: usize, is_end: u32) -> u32 {
            PLUGINS.with(|plugins| plugins.request_body(context, bytes, is_end != 0))
        }
    };
    (@ response_headers) => {
        #[unsafe(no_mangle)]
        extern "C" fn proxy_on_response_headers(context: u32, _headers: u32, _is_end: u32) -> u32 {
            PLUGINS.with(|plugins| plugins.response_headers(context));
            0
        }
    };
    (@ request_trailers) => {
        #[unsafe(no_mangle)]
        extern "C" fn proxy_on_request_trailers(context: u32, _trailers: u32) -> u32 {
            PLUGINS.with(|plugins| plugins.request_trailers(context))
        }
    };
}
