use rudderanalytics::client::RudderAnalytics;
use rudderanalytics::message::{Message, Track};

pub fn start(url: &str, key: &str) -> crate::Send {
    let rudder = RudderAnalytics::load(key.to_string(), url.to_string());
    Box::new(move |told| {
        if let Some((event, properties)) = told {
            let user_id = Some("u-1".to_string());
            let track = Track { user_id, event, properties: Some(properties), ..Default::default() };
            let _ = rudder.send(&Message::Track(track));
        }
    })
}
