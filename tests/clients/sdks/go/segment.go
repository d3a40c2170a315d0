package main

import (
	"time"

	analytics "sdk"
)

func start(url, key string) (func(string, map[string]interface{}), func()) {
	client, err := analytics.NewWithConfig(key, analytics.Config{Endpoint: url, Interval: 500 * time.Millisecond})
	if err != nil {
		panic(err)
	}
	send := func(event string, properties map[string]interface{}) {
		client.Enqueue(analytics.Track{Event: event, UserId: "u-1", AnonymousId: "a-1", Properties: properties})
	}
	return send, func() { time.Sleep(15 * time.Second); client.Close() }
}
