//! Istio's kinds, with the fields that `k8s/` uses. A value that the translator cannot honour has no variant.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::document::Metadata;
use super::duration::Duration;
use super::kubernetes::{Selector, closed};

closed! {
    /// How a service's replicas are called: TLS, connections, circuit breaking.
    DestinationRule {
        metadata: Metadata,
        spec: DestinationRuleSpec,
    }

    /// See `DestinationRule`.
    DestinationRuleSpec {
        host: String,
        traffic_policy: TrafficPolicy,
    }

    /// See `DestinationRule`.
    TrafficPolicy {
        tls: ClientTls,
        load_balancer: LoadBalancer,
        connection_pool: ConnectionPool,
        outlier_detection: OutlierDetection,
    }

    /// TLS of the calling side.
    ClientTls {
        mode: ClientTlsMode,
    }

    /// The choice of a replica.
    LoadBalancer {
        simple: SimpleLoadBalancer,
    }

    /// Limits of connections and requests.
    ConnectionPool {
        tcp: TcpPool,
        http: HttpPool,
    }

    /// See `ConnectionPool`.
    TcpPool {
        max_connections: u32,
        connect_timeout: Duration,
    }

    /// See `ConnectionPool`.
    HttpPool {
        #[serde(rename = "http1MaxPendingRequests")]
        http1_max_pending_requests: u32,
        #[serde(rename = "http2MaxRequests")]
        http2_max_requests: u32,
        max_requests_per_connection: u32,
        max_retries: u32,
        idle_timeout: Duration,
    }

    /// When a replica is left out, and for how long.
    OutlierDetection {
        #[serde(rename = "consecutive5xxErrors")]
        consecutive_5xx_errors: u32,
        consecutive_gateway_errors: u32,
        interval: Duration,
        base_ejection_time: Duration,
        max_ejection_percent: u8,
        min_health_percent: u8,
    }

    /// Routes.
    VirtualService {
        metadata: Metadata,
        spec: VirtualServiceSpec,
    }

    /// See `VirtualService`.
    VirtualServiceSpec {
        hosts: Vec<String>,
        gateways: Vec<String>,
        http: Vec<HttpRoute>,
    }

    /// One route: what it matches and where it leads.
    HttpRoute {
        name: String,
        #[serde(default)]
        r#match: Vec<HttpMatch>,
        #[serde(default)]
        headers: Option<HeaderChanges>,
        timeout: Duration,
        retries: Retries,
        route: Vec<RouteDestination>,
    }

    /// A condition of a route; an empty one matches everything.
    HttpMatch {
        #[serde(default)]
        uri: Option<UriMatch>,
        #[serde(default)]
        method: Option<MethodMatch>,
    }

    /// See `HttpMatch`.
    MethodMatch {
        exact: String,
    }

    /// What a route changes in headers.
    HeaderChanges {
        request: HeaderOperations,
    }

    /// See `HeaderChanges`.
    HeaderOperations {
        remove: Vec<String>,
    }

    /// What is repeated, and how often.
    Retries {
        attempts: u32,
        per_try_timeout: Duration,
        retry_on: String,
    }

    /// The one destination of a route.
    RouteDestination {
        destination: Destination,
    }

    /// A service and its port.
    Destination {
        host: String,
        port: DestinationPort,
    }

    /// See `Destination`.
    DestinationPort {
        number: u16,
    }

    /// The way in.
    Gateway {
        metadata: Metadata,
        spec: GatewaySpec,
    }

    /// See `Gateway`.
    GatewaySpec {
        selector: super::Labels,
        servers: Vec<GatewayServer>,
    }

    /// One listener.
    GatewayServer {
        port: GatewayPort,
        hosts: Vec<String>,
    }

    /// See `GatewayServer`.
    GatewayPort {
        number: u16,
        name: String,
        protocol: GatewayProtocol,
    }

    /// TLS of the called side.
    PeerAuthentication {
        metadata: Metadata,
        spec: PeerAuthenticationSpec,
    }

    /// See `PeerAuthentication`.
    PeerAuthenticationSpec {
        mtls: Mtls,
    }

    /// See `PeerAuthentication`.
    Mtls {
        mode: MtlsMode,
    }

    /// Who may call what.
    AuthorizationPolicy {
        metadata: Metadata,
        spec: AuthorizationPolicySpec,
    }

    /// See `AuthorizationPolicy`. Without rules it matches nothing.
    AuthorizationPolicySpec {
        #[serde(default)]
        selector: Option<Selector>,
        #[serde(default)]
        action: PolicyAction,
        #[serde(default)]
        rules: Vec<PolicyRule>,
    }

    /// Any of the sources may do any of the operations.
    PolicyRule {
        from: Vec<PolicyFrom>,
        to: Vec<PolicyTo>,
    }

    /// See `PolicyRule`.
    PolicyFrom {
        source: PolicySource,
    }

    /// See `PolicyRule`.
    PolicySource {
        principals: Vec<String>,
    }

    /// See `PolicyRule`.
    PolicyTo {
        operation: PolicyOperation,
    }

    /// See `PolicyRule`.
    PolicyOperation {
        #[serde(default)]
        methods: Vec<String>,
        paths: Vec<String>,
    }

    /// A filter.
    WasmPlugin {
        metadata: Metadata,
        spec: WasmPluginSpec,
    }

    /// See `WasmPlugin`.
    WasmPluginSpec {
        selector: Selector,
        url: String,
        image_pull_policy: String,
        phase: Phase,
        priority: i32,
        fail_strategy: FailStrategy,
        r#match: Vec<TrafficSelector>,
        plugin_config: Map<String, Value>,
    }

    /// Which requests a `WasmPlugin` sees.
    TrafficSelector {
        mode: WorkloadMode,
    }

    /// Access logs.
    Telemetry {
        metadata: Metadata,
        spec: TelemetrySpec,
    }

    /// See `Telemetry`.
    TelemetrySpec {
        access_logging: Vec<AccessLogging>,
    }

    /// See `Telemetry`.
    AccessLogging {
        providers: Vec<Provider>,
    }

    /// See `Telemetry`.
    Provider {
        name: ProviderName,
    }
}

macro_rules! choices {
    ($($(#[$meta:meta])* $name:ident $rename:literal { $($variant:ident),+ })+) => {
        $(
            $(#[$meta])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
            #[serde(rename_all = $rename)]
            #[expect(missing_docs, reason = "the variants are those of the API reference")]
            pub enum $name {
                $($variant),+
            }
        )+
    };
}

choices! {
    /// TLS of the calling side: with the mesh's certificates.
    ClientTlsMode "SCREAMING_SNAKE_CASE" { IstioMutual }
    /// TLS of the called side: always.
    MtlsMode "SCREAMING_SNAKE_CASE" { Strict }
    /// The choice of a replica.
    SimpleLoadBalancer "SCREAMING_SNAKE_CASE" { LeastRequest, RoundRobin, Random }
    /// What a gateway's listener speaks.
    GatewayProtocol "UPPERCASE" { Http }
    /// Where a filter stands, in the order in which requests pass them; authorisation comes after `Authn`.
    Phase "UPPERCASE" { Authn, Authz, Stats }
    /// What happens when a filter cannot run.
    FailStrategy "SCREAMING_SNAKE_CASE" { FailClose }
    /// On which side of a call a filter stands: the called one's.
    WorkloadMode "SCREAMING_SNAKE_CASE" { Server }
    /// Where access logs go: `envoy` is standard output.
    ProviderName "lowercase" { Envoy }
}

/// What a policy does with what it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum PolicyAction {
    /// Lets it in.
    #[default]
    Allow,
}

/// How a path is compared.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum UriMatch {
    /// The whole path.
    Exact(String),
    /// The beginning of the path.
    Prefix(String),
}
