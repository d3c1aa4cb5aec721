#[cfg(feature = "ssr")]
pub(super) mod told;

use crate::{AppError, lang::Lang};
use leptos::{
    prelude::server,
    server_fn::codec::{GetUrl, Json},
};
use naru_view::{
    Name,
    ledger::{Deed, SignSheet},
};

/// What this viewer would sign of an item now: exactly what a signature would be given for. A name that is no item's is not found.
#[server(prefix = "/api", endpoint = "sign_sheet", input = GetUrl)]
pub async fn read_sign_sheet(
    /// In which it is told.
    lang: Lang,
    /// `1.1` to `4.4`, or one of the team's own: `2.checkout-success`.
    item: String,
) -> Result<SignSheet, AppError> {
    use super::inside;
    let sheet = async {
        let item = item.parse().map_err(|_| AppError::NotFound)?;
        let (backend, viewer) = crate::context::backend()?;
        let sheet = backend.console.sheet(&viewer.actor, &viewer.scope, item).await?;
        let judged = backend.console.judged(&viewer.scope);
        Ok(told::sheet(lang, &sheet, &judged.audited.items, &viewer.actor))
    };
    inside::answer(sheet.await)
}

/// Puts this viewer's name to something: a signature, a second one, a waiver, an exception, or taking one of them back. The name of the
/// object that says so.
#[server(prefix = "/api", endpoint = "put_name", input = Json)]
pub async fn put_name(
    /// What.
    deed: Deed,
) -> Result<Name, AppError> {
    use super::inside;
    let put = async {
        inside::deed(&deed)?;
        let (backend, viewer) = crate::context::backend()?;
        inside::writable(&backend)?;
        if let Deed::Except { field, .. } = &deed
            && !viewer.scope.sees(&field.namespace)
        {
            return Err(AppError::NotFound);
        }
        Ok(backend.console.put(&viewer.actor, &deed).await?)
    };
    inside::answer(put.await)
}
