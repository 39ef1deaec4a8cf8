//! Messages and their deliveries (section 4.7).
//!
//! | file | operations |
//! |---|---|
//! | `receive` | storing what was received |
//! | `send` | storing what is to be sent, and receipts for it |
//! | `deliver` | what is to be delivered, and what was too long |
//! | `read` | what the application acknowledges and asks for |
//! | `delete` | messages that are done with, and those that are too old |
//! | `bodies` | bodies that messages share |

mod bodies;
mod delete;
mod deliver;
mod read;
mod receive;
mod send;
