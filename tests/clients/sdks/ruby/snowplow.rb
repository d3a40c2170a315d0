require "snowplow-tracker"
require "uri"

def start(url, key)
  to = URI(url)
  options = { protocol: "http", port: to.port, method: "post", buffer_size: 1 }
  emitter = SnowplowTracker::AsyncEmitter.new(to.host, options)
  subject = SnowplowTracker::Subject.new.set_user_id("u-1")
  tracker = SnowplowTracker::Tracker.new(emitter, subject, "sp", key)
  send = lambda do |event, properties|
    schema = "iglu:com.example/#{event.sub(' ', '_')}/jsonschema/1-0-0"
    tracker.track_self_describing_event(SnowplowTracker::SelfDescribingJson.new(schema, properties))
  end
  [send, -> { tracker.flush }]
end
