package main

import "github.com/dukex/mixpanel"

func start(url, key string) (func(string, map[string]interface{}), func()) {
	client := mixpanel.New(key, url)
	send := func(event string, properties map[string]interface{}) {
		client.Track("u-1", event, &mixpanel.Event{Properties: properties})
	}
	return send, func() {}
}
