//! Observatory, controllers and journal: knows ports and Clock only.
