/** Every page of the rail; tests/pages.spec.ts holds this list against it. */
export const PAGES = ["/", "/topology", "/checklist", "/canary", "/why", "/changes", "/mesh"] as const;
