package main

import (
	"time"

	"github.com/amplitude/analytics-go/amplitude"
)

func start(url, key string) (func(string, map[string]interface{}), func()) {
	config := amplitude.NewConfig(key)
	config.ServerURL, config.FlushInterval = url+"/2/httpapi", 500*time.Millisecond
	client := amplitude.NewClient(config)
	send := func(event string, properties map[string]interface{}) {
		client.Track(amplitude.Event{EventType: event, UserID: "u-1", EventProperties: properties})
	}
	return send, func() { client.Flush(); time.Sleep(15 * time.Second); client.Shutdown() }
}
