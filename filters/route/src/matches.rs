//! A checked match.

use crate::loose::{self, Readings};
use crate::path::{HostPattern, PathPattern};

/// Which requests a rule is for. An empty list is no condition.
#[derive(Debug, Clone)]
pub struct Match {
    /// Hosts.
    pub hosts: Vec<HostPattern>,
    /// Methods, in capitals; HEAD is judged as GET.
    pub methods: Vec<String>,
    /// Paths.
    pub path: PathPattern,
}

/// HEAD, however it is written, is GET: servers answer it from the same handler.
fn judged_as(method: &[u8]) -> &[u8] {
    if method.eq_ignore_ascii_case(b"HEAD") { b"GET" } else { method }
}

impl Match {
    /// Whether this request is meant. Host and path are in normal form.
    pub fn matches(&self, host: Option<&str>, method: &str, path: &str) -> bool {
        self.path.matches(path) && self.is_for(host, method)
    }

    /// Whether it is meant, or a server that ignores case or a slash or dots at the end could read it so. Everything
    /// that [`Self::matches`] takes is among it.
    pub fn nearly_matches(&self, host: Option<&str>, method: &str, path: &str) -> bool {
        loose::normal_readings(path).any(|path| loose::path_matches(&self.path, path))
            && self.is_for(host, method)
    }

    fn is_for(&self, host: Option<&str>, method: &str) -> bool {
        let method = judged_as(method.as_bytes());
        (self.methods.is_empty() || self.methods.iter().any(|known| known.as_bytes() == method))
            && (self.hosts.is_empty()
                || host.is_some_and(|host| self.hosts.iter().any(|pattern| pattern.matches(host))))
    }

    /// Whether every request that the other one is for is meant here too.
    pub fn covers(&self, other: &Self) -> bool {
        let methods = self.methods.is_empty()
            || (!other.methods.is_empty()
                && other.methods.iter().all(|method| self.methods.contains(method)));
        let covered = |theirs: &HostPattern| self.hosts.iter().any(|ours| ours.covers(theirs));
        let hosts = self.hosts.is_empty() || (!other.hosts.is_empty() && other.hosts.iter().all(covered));
        methods && hosts && self.path.covers(&other.path)
    }

    /// Whether a lenient server could read this request as one that is meant. Everything that [`Self::matches`] takes
    /// is among it. `authority` and `method` are as they came.
    pub fn might_match(&self, authority: Option<&[u8]>, method: &[u8], target: &Readings<'_>) -> bool {
        let known = |known: &String| known.as_bytes().eq_ignore_ascii_case(judged_as(method));
        (self.methods.is_empty() || self.methods.iter().any(known))
            && self.might_match_any_method(authority, target)
    }

    /// The same, whatever the method.
    pub fn might_match_any_method(&self, authority: Option<&[u8]>, target: &Readings<'_>) -> bool {
        target.any(|path| loose::path_matches(&self.path, path))
            && (self.hosts.is_empty() || loose::host_matches(&self.hosts, authority))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn head_is_get() {
        let of = |method: &str| Match {
            hosts: Vec::new(),
            methods: vec![method.to_owned()],
            path: PathPattern::Exact("/a".to_owned()),
        };
        for (rule, method, is_meant, might_be) in [
            ("GET", "HEAD", true, true),
            ("GET", "head", true, true),
            ("GET", "get", false, true),
            ("POST", "HEAD", false, false),
        ] {
            let rule = of(rule);
            assert_eq!(rule.matches(None, method, "/a"), is_meant, "{method}");
            assert_eq!(
                rule.might_match(None, method.as_bytes(), &Readings::new(b"/A")),
                might_be,
                "{method}"
            );
        }
    }
}
