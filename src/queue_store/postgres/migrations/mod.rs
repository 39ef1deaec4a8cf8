//! The queue store's schema as migrations: the reference's names, so that each side takes the other's
//! database for its own; the scripts are ours.
//!
//! Names ascend in the order in which the migrations are applied. Each is a transaction of its own, so
//! no script begins or ends one. All scripts run with the store's schema as the only one in the search
//! path.

use crate::db::migrations::Migration;

macro_rules! migration {
    ($name:literal) => {
        Migration { name: $name, up: include_str!(concat!($name, ".up.sql")), down: None }
    };
    ($name:literal, down) => {
        Migration {
            name: $name,
            up: include_str!(concat!($name, ".up.sql")),
            down: Some(include_str!(concat!($name, ".down.sql"))),
        }
    };
}

/// All migrations, in order. The first can't be undone.
pub const MIGRATIONS: &[Migration] = &[
    migration!("20250207_initial"),
    migration!("20250319_updated_index", down),
    migration!("20250320_short_links", down),
    migration!("20250514_service_certs", down),
    migration!("20250903_store_messages", down),
    migration!("20250915_queue_ids_hash", down),
];
