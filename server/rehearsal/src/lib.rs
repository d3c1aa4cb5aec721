//! A simulated system behind the same ports: object store, world, traffic.
