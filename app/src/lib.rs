//! Pages, components, server functions (features ssr | hydrate).
