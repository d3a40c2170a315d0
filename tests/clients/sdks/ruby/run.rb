# Runs a client: run.rb CLIENT URL KEY EVENTS MILLISECONDS
client, url, key, events, every = ARGV
require_relative client
send, finish = start(url, key)
(1..events.to_i).each do |n|
  begin
    send.call("Event #{n}", { "n" => n, "note" => "Größe ✓" })
  rescue StandardError # a client may tell so that it failed
  end
  sleep every.to_i / 1000.0
end
finish.call
