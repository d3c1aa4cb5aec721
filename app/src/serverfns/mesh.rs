#[cfg(feature = "ssr")]
mod told;

#[cfg(feature = "ssr")]
pub use told::{in_short, sections};

use crate::{AppError, lang::Lang};
use leptos::{prelude::server, server_fn::codec::GetUrl};
use naru_view::mesh::Mesh;

/// The mesh and the sources as they were last looked at, as far as this viewer may see.
#[server(prefix = "/api", endpoint = "mesh", input = GetUrl)]
pub async fn read_mesh(
    /// In which it is told.
    lang: Lang,
) -> Result<Mesh, AppError> {
    super::inside::answer(told::mesh(lang))
}
