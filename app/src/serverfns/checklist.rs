#[cfg(feature = "ssr")]
mod told;

#[cfg(feature = "ssr")]
pub use told::{fact, title};
#[cfg(feature = "ssr")]
pub(super) use told::{told_finding, told_unknown, told_verdict};

use crate::{AppError, lang::Lang};
use leptos::{prelude::server, server_fn::codec::GetUrl};
use naru_view::checklist::{Checklist, ItemPage};

/// The checklist as it was last judged, as far as this viewer may see.
#[server(prefix = "/api", endpoint = "checklist", input = GetUrl)]
pub async fn read_checklist(
    /// In which it is told.
    lang: Lang,
) -> Result<Checklist, AppError> {
    super::inside::answer(told::checklist(lang))
}

/// One item of it. A name that is no item's is not found.
#[server(prefix = "/api", endpoint = "checklist_item", input = GetUrl)]
pub async fn read_item(
    /// In which it is told.
    lang: Lang,
    /// `1.1` to `4.4`, or one of the team's own: `2.checkout-success`.
    item: String,
) -> Result<ItemPage, AppError> {
    super::inside::answer(told::item(lang, &item))
}
