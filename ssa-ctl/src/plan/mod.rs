//! What is wanted and what is there in; the steps from one to the other out. Nothing here touches the kernel.

pub mod blocks;
pub mod changes;
pub mod ground;
pub mod low;
pub mod moves;
pub mod numbers;
pub mod ranked;
mod service;
pub mod shape;
pub mod sharing;
pub mod slices;
pub mod steps;
pub mod table;
pub mod tables;
pub mod ways;
