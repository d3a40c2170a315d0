package main

import (
	"context"

	"github.com/mixpanel/mixpanel-go"
)

func start(url, key string) (func(string, map[string]interface{}), func()) {
	client := mixpanel.NewApiClient(key, mixpanel.ProxyApiLocation(url))
	send := func(event string, properties map[string]interface{}) {
		client.Track(context.Background(), []*mixpanel.Event{client.NewEvent(event, "u-1", properties)})
	}
	return send, func() {}
}
