//! The Kubernetes kinds, with the fields that `k8s/` uses. Fields that mean nothing on one machine (probes,
//! resources, security contexts) are read all the same, so that a mistyped one is found here.

use serde::Deserialize;

use super::Labels;
use super::document::Metadata;

macro_rules! closed {
    ($($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* })+) => {
        $(
            $(#[$meta])*
            #[derive(Debug, Clone, Deserialize)]
            #[serde(deny_unknown_fields, rename_all = "camelCase")]
            #[expect(missing_docs, reason = "the fields are those of the API reference")]
            pub struct $name {
                $($(#[$field_meta])* pub $field: $type,)*
            }
        )+
    };
}
pub(super) use closed;

closed! {
    /// The list of files.
    Kustomization {
        #[serde(default)]
        metadata: Metadata,
        resources: Vec<String>,
    }

    /// The namespace of all objects.
    Namespace {
        metadata: Metadata,
    }

    /// An identity, `spiffe://cluster.local/ns/<namespace>/sa/<name>`.
    ServiceAccount {
        metadata: Metadata,
        #[serde(default)]
        automount_service_account_token: Option<bool>,
    }

    /// A name and a port for the pods with certain labels.
    Service {
        metadata: Metadata,
        spec: ServiceSpec,
    }

    /// See `Service`.
    ServiceSpec {
        selector: Labels,
        ports: Vec<ServicePort>,
    }

    /// One port of a service.
    ServicePort {
        name: String,
        port: u16,
        target_port: String,
        app_protocol: AppProtocol,
    }

    /// How many pods may be away at once.
    PodDisruptionBudget {
        metadata: Metadata,
        spec: PodDisruptionBudgetSpec,
    }

    /// See `PodDisruptionBudget`.
    PodDisruptionBudgetSpec {
        min_available: u32,
        selector: Selector,
    }

    /// Selects by labels.
    Selector {
        match_labels: Labels,
    }

    /// A workload.
    Deployment {
        metadata: Metadata,
        spec: DeploymentSpec,
    }

    /// See `Deployment`.
    DeploymentSpec {
        replicas: u32,
        selector: Selector,
        strategy: Strategy,
        template: PodTemplate,
    }

    /// How replicas are replaced.
    Strategy {
        rolling_update: RollingUpdate,
    }

    /// See `Strategy`.
    RollingUpdate {
        max_surge: u32,
        max_unavailable: u32,
    }

    /// The pods of a Deployment.
    PodTemplate {
        metadata: Metadata,
        spec: PodSpec,
    }

    /// See `PodTemplate`.
    PodSpec {
        service_account_name: String,
        automount_service_account_token: bool,
        termination_grace_period_seconds: u32,
        security_context: PodSecurityContext,
        topology_spread_constraints: Vec<TopologySpreadConstraint>,
        containers: Vec<Container>,
    }

    /// The user that containers run as.
    PodSecurityContext {
        run_as_non_root: bool,
        run_as_user: u32,
        run_as_group: u32,
        fs_group: u32,
        seccomp_profile: SeccompProfile,
    }

    /// See `PodSecurityContext`.
    SeccompProfile {
        r#type: String,
    }

    /// Spreads replicas over nodes.
    TopologySpreadConstraint {
        max_skew: u32,
        topology_key: String,
        when_unsatisfiable: String,
        label_selector: Selector,
    }

    /// The service's container.
    Container {
        name: String,
        image: String,
        ports: Vec<ContainerPort>,
        env: Vec<Variable>,
        startup_probe: Probe,
        liveness_probe: Probe,
        readiness_probe: Probe,
        lifecycle: Lifecycle,
        resources: Resources,
        security_context: ContainerSecurityContext,
    }

    /// A named port.
    ContainerPort {
        name: String,
        container_port: u16,
    }

    /// An environment variable; the ones here hold on one machine too.
    Variable {
        name: String,
        value: String,
    }

    /// A health check.
    Probe {
        http_get: HttpGet,
        #[serde(default)]
        period_seconds: Option<u32>,
        #[serde(default)]
        timeout_seconds: Option<u32>,
        #[serde(default)]
        failure_threshold: Option<u32>,
    }

    /// See `Probe`.
    HttpGet {
        path: String,
        port: String,
    }

    /// What happens before a pod is stopped.
    Lifecycle {
        pre_stop: PreStop,
    }

    /// See `Lifecycle`.
    PreStop {
        sleep: Sleep,
    }

    /// See `PreStop`.
    Sleep {
        seconds: u32,
    }

    /// What a container needs, and may use.
    Resources {
        requests: Labels,
        limits: Labels,
    }

    /// What a container may not do.
    ContainerSecurityContext {
        allow_privilege_escalation: bool,
        read_only_root_filesystem: bool,
        capabilities: Capabilities,
    }

    /// See `ContainerSecurityContext`.
    Capabilities {
        drop: Vec<String>,
    }
}

/// What a service's port speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AppProtocol {
    /// HTTP, which sidecars understand.
    Http,
}
