use crate::AppError;
use leptos::{prelude::server, server_fn::codec::Json};
use naru_view::{Name, in_force::Reached};

/// How far a change has come with the proxies, asked of every istiod at this moment.
#[server(prefix = "/api", endpoint = "reached", input = Json)]
pub async fn read_reached(
    /// Where the change is.
    namespace: Name,
    /// Its name in the journal.
    change: Name,
) -> Result<Reached, AppError> {
    use super::inside;
    use naru_domain::object::{Key, Kind};
    let reached = async {
        inside::names("change", [&*namespace, &*change])?;
        let (backend, viewer) = inside::enter(&namespace)?;
        let key = Key::new(Kind::Change, namespace, change);
        Ok(backend.console.reached(&viewer.scope, &key).await?)
    };
    inside::answer(reached.await)
}
