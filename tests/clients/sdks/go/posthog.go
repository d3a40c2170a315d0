package main

import (
	"time"

	"github.com/posthog/posthog-go"
)

func start(url, key string) (func(string, map[string]interface{}), func()) {
	client, err := posthog.NewWithConfig(key, posthog.Config{Endpoint: url, Interval: 500 * time.Millisecond})
	if err != nil {
		panic(err)
	}
	send := func(event string, properties map[string]interface{}) {
		client.Enqueue(posthog.Capture{DistinctId: "u-1", Event: event, Properties: properties})
	}
	return send, func() { time.Sleep(15 * time.Second); client.Close() }
}
