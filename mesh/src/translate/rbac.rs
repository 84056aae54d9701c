//! AuthorizationPolicies as Envoy's RBAC filter.

use anyhow::{Result, bail};
use serde_json::{Map, Value, json};

use super::{Context, typed};
use crate::manifest::istio::{AuthorizationPolicy, PolicyAction, PolicyOperation, PolicyRule};
use crate::manifest::{Labels, selects};

/// The filter for pods with these labels; none where no policy applies, as in Istio.
pub(super) fn filter(context: Context<'_>, labels: &Labels) -> Result<Option<Value>> {
    let mut policies = Map::new();
    let mut applies = false;
    for policy in context.manifests.all::<AuthorizationPolicy>() {
        let spec = &policy.spec;
        if !spec.selector.as_ref().is_none_or(|selector| selects(&selector.match_labels, labels)) {
            continue;
        }
        let PolicyAction::Allow = spec.action;
        applies = true;
        for (index, rule) in spec.rules.iter().enumerate() {
            let namespace = policy.metadata.namespace.as_deref().unwrap_or_default();
            let name = format!("ns[{namespace}]-policy[{}]-rule[{index}]", policy.metadata.name);
            policies.insert(name, envoy_policy(&policy.metadata.name, rule)?);
        }
    }
    let config = json!({"rules": {"action": "ALLOW", "policies": policies}});
    Ok(applies.then(|| {
        json!({
            "name": "envoy.filters.http.rbac",
            "typed_config": typed("envoy.extensions.filters.http.rbac.v3.RBAC", config),
        })
    }))
}

fn envoy_policy(name: &str, rule: &PolicyRule) -> Result<Value> {
    let mut principals = Vec::new();
    for principal in rule.from.iter().flat_map(|from| &from.source.principals) {
        if principal.contains('*') {
            bail!(
                "AuthorizationPolicy `{name}`: the principal `{principal}` has a wildcard, which is not supported"
            );
        }
        let spiffe = format!("spiffe://{principal}");
        principals.push(json!({"authenticated": {"principal_name": {"exact": spiffe}}}));
    }
    let operations = rule.to.iter().map(|to| permission(name, &to.operation));
    let permissions: Vec<Value> = operations.collect::<Result<_>>()?;
    Ok(json!({"principals": principals, "permissions": permissions}))
}

fn permission(name: &str, operation: &PolicyOperation) -> Result<Value> {
    let mut paths = Vec::new();
    for path in &operation.paths {
        let matcher = match path.strip_suffix('*') {
            Some(prefix) if !prefix.contains(['*', '{']) => json!({"prefix": prefix}),
            None if !path.contains(['*', '{']) => json!({"exact": path}),
            _ => bail!("AuthorizationPolicy `{name}`: the path `{path}` may have `*` at its end only"),
        };
        paths.push(json!({"url_path": {"path": matcher}}));
    }
    // In istiod's order.
    let mut all = Vec::new();
    if !operation.methods.is_empty() {
        let method =
            |method: &String| json!({"header": {"name": ":method", "string_match": {"exact": method}}});
        let methods: Vec<Value> = operation.methods.iter().map(method).collect();
        all.push(json!({"or_rules": {"rules": methods}}));
    }
    all.push(json!({"or_rules": {"rules": paths}}));
    Ok(json!({"and_rules": {"rules": all}}))
}
