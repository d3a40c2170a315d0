// Runs a client: run URL KEY EVENTS MILLISECONDS
use serde_json::{json, Value};
use std::{env, thread, time::Duration};

mod client;

/// Sends an event, or ends if there is none.
pub type Send = Box<dyn FnMut(Option<(String, Value)>)>;

fn main() {
    let told: Vec<String> = env::args().collect();
    let (events, every): (u32, u64) = (told[3].parse().unwrap(), told[4].parse().unwrap());
    let mut send = client::start(&told[1], &told[2]);
    for n in 1..=events {
        send(Some((format!("Event {n}"), json!({"n": n, "note": "Größe ✓"}))));
        thread::sleep(Duration::from_millis(every));
    }
    send(None);
}
