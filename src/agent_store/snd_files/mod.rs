//! Sent files, their chunks, and replicas of these on routers (section 4.13).
//!
//! | file | what is there |
//! |---|---|
//! | `create` | a file, and its chunks once it is encrypted |
//! | `load` | a file with all below it |
//! | `change` | statuses, and the end of a file |
//! | `replicas` | replicas and their recipients |
//! | `work` | what is to be prepared and uploaded, and where |
//! | `cleanup` | what is to be cleaned up |

mod change;
mod cleanup;
mod create;
mod load;
mod replicas;
mod work;
