package main

import (
	"time"

	"github.com/rudderlabs/analytics-go/v4"
)

func start(url, key string) (func(string, map[string]interface{}), func()) {
	config := analytics.Config{DataPlaneUrl: url, Interval: 500 * time.Millisecond}
	client, err := analytics.NewWithConfig(key, config)
	if err != nil {
		panic(err)
	}
	send := func(event string, properties map[string]interface{}) {
		client.Enqueue(analytics.Track{Event: event, UserId: "u-1", AnonymousId: "a-1", Properties: properties})
	}
	return send, func() { time.Sleep(15 * time.Second); client.Close() }
}
