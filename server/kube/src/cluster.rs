//! The port, implemented.

use crate::{
    connect::{self, ConnectError, Server, Settings},
    rights, submit,
    tokens::KubeTokens,
    watch,
    wire::Wire,
};
use futures::stream::BoxStream;
use naru_domain::{
    Name,
    actor::Actor,
    object::{Key, Kind, Object, Write},
};
use naru_ports::{Access, As, Cluster, ClusterError, Seen, Submitted};

/// One Kubernetes API server.
#[derive(Clone)]
pub struct KubeCluster {
    wire: Wire,
    url: Name,
}

impl KubeCluster {
    /// Reads the configuration, and asks the API server who we are. For a command that cannot go on without one.
    pub async fn connect(settings: &Settings) -> Result<Self, ConnectError> {
        let cluster = Self::configure(settings).await?;
        cluster.probe().await?;
        Ok(cluster)
    }

    /// Only reads the configuration: watches find the API server when it comes. For a server that starts before it.
    pub async fn configure(settings: &Settings) -> Result<Self, ConnectError> {
        let (wire, url) = connect::configure(settings).await?;
        Ok(Self { wire, url })
    }

    /// Asks the API server for its version, and as whom it knows us.
    pub async fn probe(&self) -> Result<Server, ConnectError> {
        connect::probe(&self.wire, &self.url).await
    }

    /// The judge of tokens that were made for this audience.
    pub fn tokens(&self, audience: Name) -> KubeTokens {
        KubeTokens::new(self.wire.clone(), audience)
    }
}

#[async_trait::async_trait]
impl Cluster for KubeCluster {
    fn watch(&self, kind: Kind) -> BoxStream<'static, Seen> {
        watch::watch(self.wire.clone(), kind)
    }

    async fn get(&self, key: &Key) -> Result<Object, ClusterError> {
        submit::get(&self.wire, key).await
    }

    async fn submit(
        &self,
        who: As<'_>,
        write: &Write,
        dry_run: bool,
        manager: &str,
    ) -> Result<Submitted, ClusterError> {
        submit::submit(&self.wire, who, write, dry_run, manager).await
    }

    async fn may(&self, who: &Actor, asks: &[Access]) -> Result<Vec<bool>, ClusterError> {
        rights::may(&self.wire, who, asks).await
    }
}
