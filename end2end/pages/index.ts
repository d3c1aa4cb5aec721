// The console's pages as a visitor knows them. What is said here is held against the rail by tests/pages.spec.ts.

/** Every page of the rail. */
export const PAGES = [
  "/",
  "/topology",
  "/checklist",
  "/canary",
  "/security",
  "/resilience",
  "/performance",
  "/traces",
  "/dashboards",
  "/changes",
  "/cutover",
  "/why",
  "/mesh",
  "/learn",
] as const;
