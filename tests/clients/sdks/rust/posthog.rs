use posthog_rs::{client, ClientOptionsBuilder, Event};

pub fn start(url: &str, key: &str) -> crate::Send {
    let options = ClientOptionsBuilder::default()
        .api_key(key.to_string())
        .host(url)
        .flush_interval_ms(500u64)
        .max_capture_attempts(20u32)
        .build()
        .unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let posthog = runtime.block_on(client(options));
    Box::new(move |told| match told {
        None => runtime.block_on(posthog.shutdown()),
        Some((name, properties)) => {
            let mut event = Event::new(name, "u-1".to_string());
            for (field, value) in properties.as_object().unwrap() {
                event.insert_prop(field.as_str(), value).unwrap();
            }
            posthog.capture(event);
        }
    })
}
